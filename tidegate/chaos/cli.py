"""`tidegate chaos`: make faults and judge what they do.

Exit codes: 0 every experiment held, 1 one did not hold, 2 one is inconclusive and none failed, 3 an error,
130 interrupted (the fault was lifted).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.errors import TidegateError

if TYPE_CHECKING:  # `tidegate --help` stays quick
    from collections.abc import Sequence

    from tidegate.chaos.conduct import Trying
    from tidegate.chaos.experiment import Experiment
    from tidegate.models.trial import Trial
    from tidegate.prepare import Site

EXIT_CODES = {"held": 0, "not_held": 1, "inconclusive": 2}
USERS = 6
"""They ask of three pods of Pulumi.chaos.yaml less than the target: the autoscaler rests before the fault."""
_STYLES = {"held": "bold green", "not_held": "bold red", "inconclusive": "bold yellow"}


def chaos_command(
    names: Annotated[list[str] | None, typer.Argument(help="Files of chaos/, without .yaml.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every experiment, one after another.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the experiments and what they claim.")
    ] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Lift every fault that is left.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the blast radius, and do nothing.")
    ] = False,
    fis: Annotated[
        Path | None, typer.Option("--fis", help="Write AWS FIS templates into this folder.")
    ] = None,
    eks: Annotated[str, typer.Option("--eks", help="With --fis: ARN of the EKS cluster.")] = "",
    stack: Annotated[str, typer.Option("--stack", "-s", help="Pulumi stack that is deployed.")] = "local",
    users: Annotated[int, typer.Option(min=1, help="Simulated users of the load.")] = USERS,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of the Runs.")] = Path("runs"),
    times: Annotated[int, typer.Option(min=1, max=50, help="How often each experiment is done.")] = 1,
    output: Annotated[str, typer.Option("--output", "-o", help="table or json.")] = "table",
    junit: Annotated[Path | None, typer.Option(help="Write one JUnit file over all of them.")] = None,
    context: Annotated[str, typer.Option(help="A context of your own kubeconfig, not the stack's.")] = "",
    host: Annotated[str, typer.Option("--host", help="With --context: the service's address there.")] = "",
    allow_foreign: Annotated[
        bool, typer.Option("--allow-foreign-cluster", help="That cluster may be broken.")
    ] = False,
) -> None:
    """Break a deployed service under load, and judge it: fault, steady state, autoscaler."""
    from tidegate.chaos.catalogue import available, load_experiments

    if output not in ("table", "json"):
        raise TidegateError(f"there is no output {output!r}", cure="choose table or json")
    if listed:
        _list(load_experiments(available()))
        return
    if clean:
        _clean(stack, context, host, allow_foreign=allow_foreign)
        return
    if bool(names) == everything:
        raise TidegateError("name experiments, or give --all", cure="`tidegate chaos --list` names them")
    chosen = load_experiments(available() if everything else names or [])
    if fis is not None:
        _fis(chosen, stack, fis, eks)
        return
    trying = _trying(stack, context, host, users, runs, allow_foreign=allow_foreign)
    if dry_run:
        _dry(trying, chosen)
        return
    _do(trying, [each for each in chosen for _ in range(times)], output, junit)


def _trying(stack: str, context: str, host: str, users: int, runs: Path, *, allow_foreign: bool) -> Trying:
    from tidegate.chaos.conduct import Trying
    from tidegate.chaos.where import where
    from tidegate.prepare import Site, attach, open_engine, stack_config

    root, config = stack_config(stack)
    place = where(config.cluster.name, context=context, allow_foreign=allow_foreign)
    console = Console(stderr=True)
    if place.own:
        site = attach(stack)
        return Trying(site, place, site.gateway, runs, users, console)
    if not host:
        raise TidegateError("no address of the service on that cluster", cure="give --host http://...")
    foreign = Site(stack, root, config, open_engine(install=False), {"KUBECONFIG": str(place.kubeconfig)})
    return Trying(foreign, place, host, runs, users, console)


def _list(experiments: Sequence[Experiment]) -> None:
    for each in experiments:
        needs = f" [needs {', '.join(each.hypothesis.needs)}]" if each.hypothesis.needs else ""
        print(f"{each.name}\t{each.kind}\t{each.hypothesis.statement}{needs}")


def _dry(trying: Trying, experiments: Sequence[Experiment]) -> None:
    from tidegate.chaos.conduct import reach_of

    cluster = trying.place.open()
    try:
        for each in experiments:
            reach, _ = reach_of(cluster, each)
            print(f"{each.name}: {each.hypothesis.statement}")
            print("\n".join(f"  {line}" for line in reach.lines()))
    finally:
        cluster.close()


def _clean(stack: str, context: str, host: str, *, allow_foreign: bool) -> None:
    from tidegate.chaos.conduct import clean

    trying = _trying(stack, context, host, 1, Path("runs"), allow_foreign=allow_foreign)
    cluster = trying.place.open()
    name = trying.site.config.cluster.name
    workers = [
        f"{name}-worker{number or ''}" for number in (0, *range(2, trying.site.config.cluster.workers + 1))
    ]
    try:
        done = clean(cluster, workers if trying.place.own else [], trying.site.environment)
    finally:
        cluster.close()
    print("\n".join(done) if done else "nothing was left")


def _fis(experiments: Sequence[Experiment], stack: str, folder: Path, cluster_arn: str) -> None:
    from tidegate.chaos.fis import account, save_templates
    from tidegate.prepare import stack_config

    _, config = stack_config(stack)
    for line in save_templates(experiments, config.slo, account(cluster_arn), folder):
        print(line)


def _do(trying: Trying, experiments: Sequence[Experiment], output: str, junit: Path | None) -> None:
    from tidegate.chaos.conduct import conduct
    from tidegate.host.lock import state_lock
    from tidegate.verdict.experiments import overall
    from tidegate.verdict.results import as_json, as_junit

    found: list[Trial] = []
    try:
        with state_lock("chaos"):
            for each in experiments:
                folder, trial = conduct(trying, each)
                found.append(trial)
                trying.console.print(f"Report: {(folder / 'report.html').resolve()}", soft_wrap=True)
    finally:
        # Also after an error or Ctrl-C: what was found so far was measured.
        if found:
            print(as_json(found) if output == "json" else "", end="\n" if output == "json" else "")
            if output == "table":
                Console().print(_table(found))
            if junit is not None:
                junit.write_text(as_junit(found), encoding="utf-8")
    raise typer.Exit(EXIT_CODES[overall([trial.finding for trial in found])])


def prove_experiments(site: Site, runs: Path) -> int:
    """Do every experiment on a stack that was just deployed; print what each came to.

    Returns:
        The exit code over all of them; see this module's own text.
    """
    from tidegate.chaos.catalogue import available, load_experiments
    from tidegate.chaos.conduct import Trying, conduct
    from tidegate.chaos.where import where
    from tidegate.report import write_gallery
    from tidegate.verdict.experiments import overall

    place = where(site.config.cluster.name, context="", allow_foreign=False)
    trying = Trying(site, place, site.gateway, runs, USERS, Console(stderr=True))
    found = [conduct(trying, each)[1] for each in load_experiments(available())]
    Console().print(_table(found))
    print(f"All Runs: {write_gallery(runs).resolve()}")
    return EXIT_CODES[overall([trial.finding for trial in found])]


def _table(trials: Sequence[Trial]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("experiment", "landed", "steady", "autoscaler", "recovery", "finding", "why"):
        table.add_column(column)
    for trial in trials:
        recovery = "-" if trial.recovery_s is None else f"{trial.recovery_s:.0f} s"
        proofs = [Text(_words(proof.finding), style=_STYLES[proof.finding]) for proof in trial.proofs]
        finding = Text(_words(trial.finding), style=_STYLES[trial.finding])
        table.add_row(trial.name, *proofs, recovery, finding, trial.reasons[0])
    return table


def _words(finding: str) -> str:
    return finding.replace("_", " ")
