"""`tidegate hpa`: what the autoscaler decides, and why."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.simulate.decisions import LONGEST_LINE

app = typer.Typer(help="What the Kubernetes autoscaler decides on given observations, exactly.")

console = Console(stderr=True)
_MEMORY_UNKNOWN = (
    "The controller's memory of earlier syncs and its flags are in no API: stabilization and rate limits "
    "begin here, flags are the defaults."
)

Histories = Annotated[Path, typer.Argument(help="File of histories, one JSON object a line; - is stdin.")]
LongestMib = Annotated[
    int, typer.Option("--longest-mib", min=1, max=4096, help="Longest line that is read, mebibytes.")
]


@app.command("decide")
def decide_command(
    histories: Histories = Path("-"),
    explain: Annotated[bool, typer.Option("--explain", help="Add each proposal and each limit.")] = False,
    longest_mib: LongestMib = LONGEST_LINE >> 20,
) -> None:
    """Read histories, print the controller's decisions. Schema: `tidegate schema hpa-history`.

    A bad line gives a line with its error; the rest goes on, and the exit code is then 3.
    """
    from tidegate.simulate.decisions import decide_lines, dumped

    good = bad = 0
    with _opened(histories) as stream:
        for fine, shown in decide_lines(stream, longest=longest_mib << 20, explained=explain):
            good, bad = good + fine, bad + (not fine)
            try:
                print(dumped(shown), flush=True)
            except BrokenPipeError:  # the reader has seen enough, as with `| head`
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
    if bad:
        raise TidegateError(
            f"{bad} of {good + bad} lines are no history",
            where=str(histories),
            cure="see the error on each line",
        )


@app.command("explain")
def explain_command(
    histories: Histories = Path("-"),
    line: Annotated[int, typer.Option(min=1, help="Which line of the file.")] = 1,
    sync: Annotated[int | None, typer.Option(min=1, help="Which sync of it; the last by default.")] = None,
    live: Annotated[
        str | None, typer.Option(help="NAMESPACE/NAME of an autoscaler to ask kubectl about instead.")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="With --live: print the observation as a history instead.")
    ] = False,
    longest_mib: LongestMib = LONGEST_LINE >> 20,
) -> None:
    """Print why one sync decided what it decided, from the number down to the pods."""
    from tidegate.simulate.decisions import BadLineError, chosen_line, decisions_of, dumped, read_line
    from tidegate.simulate.hpa.explain import explain
    from tidegate.simulate.lines import Line

    if live is not None:
        observed = dumped(_live(live))
        if save:
            print(observed)
            return
        chosen = Line(1, observed.encode(), len(observed), whole=True)
        console.print(_MEMORY_UNKNOWN, style="dim", highlight=False)
    else:
        with _opened(histories) as stream:
            chosen = chosen_line(stream, line, longest_mib << 20)
    try:
        decisions = list(decisions_of(read_line(chosen)))
    except BadLineError as error:
        where = f"line {chosen.number}" + (f", {error.at}" if error.at else "")
        raise TidegateError(error.what, where=where) from error
    if not decisions or (sync or 1) > len(decisions):
        raise TidegateError(f"the history has {len(decisions)} syncs", cure="choose another with --sync")
    t_s, decision = decisions[(sync or len(decisions)) - 1]
    for text in explain(decision, t_s).lines():
        print(text)


def _live(target: str) -> dict[str, Any]:
    from tidegate.simulate.live import live_history

    namespace, slash, name = target.partition("/")
    if not slash or not namespace or not name:
        raise TidegateError(f"--live {target!r} is not NAMESPACE/NAME", cure="write for example shop/web")
    return live_history(namespace, name, time.time())


@contextlib.contextmanager
def _opened(path: Path) -> Generator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error


def simulate_command(
    policy: Annotated[
        Path | None, typer.Option(help="Stack file or policy file. Default: Pulumi.local.yaml.")
    ] = None,
    trace: Annotated[
        list[Path] | None,
        typer.Option(
            help="As `tidegate load replay` reads it, docs/load.md; may be repeated. Default: a spike."
        ),
    ] = None,
    slo: Annotated[
        Path | None, typer.Option(help="Stack file or file of objectives; by default the policy's.")
    ] = None,
    world: Annotated[
        Path | None, typer.Option(help="YAML of what is assumed; schema: `tidegate schema world`.")
    ] = None,
    compare: Annotated[Path | None, typer.Option(help="A second policy, shown beside the first.")] = None,
    scale: Annotated[float, typer.Option(min=0.0, max=1e6, help="Multiplies the arrivals.")] = 1.0,
    base_rps: Annotated[float, typer.Option(min=0.0, help="Of the spike, requests a second.")] = 20.0,
    peak_rps: Annotated[float, typer.Option(min=0.0, help="Of the spike, requests a second.")] = 200.0,
    seed: Annotated[int, typer.Option(help="Of every chance; the same seed gives the same Run.")] = 1,
    fluid: Annotated[
        bool, typer.Option("--fluid", help="Let the load flow: for long traces. Sums only, no Run.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Folder of a measured Run: its arrivals, policy and objectives once more."),
    ] = None,
    runs: Annotated[Path, typer.Option(help="Folder in which each Run's own folder is made.")] = Path("runs"),
) -> None:
    """What a policy would cost and hold under a load: writes Runs, prints cost and objectives side by side.

    The Runs are like measured ones: `tidegate verdict`, `lag` and `report` read them.
    """
    from tidegate.simulate.estimate import binned, estimate
    from tidegate.simulate.inputs import policy_from, slo_from, world_from
    from tidegate.simulate.outcome import estimate_rows, outcome_rows, run_policy
    from tidegate.simulate.world.arrivals import spike
    from tidegate.simulate.world.traces import read_trace

    if replay is not None:
        if policy or trace or slo or compare or fluid or scale != 1.0:
            raise TidegateError(
                "--replay takes arrivals, policy and objectives from the Run",
                cure="leave out --policy, --trace, --slo, --compare, --fluid and --scale",
            )
        _replay(replay, world, runs, seed)
        return
    policy = policy or Path("Pulumi.local.yaml")
    bins = read_trace(trace) if trace else spike(base_rps, peak_rps)
    objectives, assumed = slo_from(slo or policy), world_from(world)
    policies = {path.stem: policy_from(path) for path in [policy]}
    if compare is not None:
        policies[compare.stem if compare.stem not in policies else f"{compare.stem}-2"] = policy_from(compare)
    columns, folders = dict[str, list[tuple[str, str]]](), list[Path]()
    for name, chosen in policies.items():
        if fluid:
            found = estimate(chosen, objectives, assumed, binned(bins), seed=seed, scale=scale)
            columns[name] = estimate_rows(found, objectives)
        else:
            outcome = run_policy(name, chosen, objectives, assumed, bins, runs=runs, seed=seed, scale=scale)
            columns[name] = outcome_rows(outcome)
            folders.append(outcome.folder)
    _side_by_side(columns)
    for folder in folders:
        print(f"Run: {folder}")


def _replay(run: Path, world: Path | None, runs: Path, seed: int) -> None:
    from rich.table import Table

    from tidegate.simulate.inputs import world_from
    from tidegate.simulate.replay import NOTE, replay, replay_rows

    found = replay(run, world_from(world), runs=runs, seed=seed)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for name in ("measured", "simulated", "error"):
        table.add_column(name, justify="right")
    for row in replay_rows(found):
        table.add_row(*row)
    Console().print(table)
    console.print(NOTE, style="dim", highlight=False)
    print(f"Run: {found.outcome.folder}")


def _side_by_side(columns: dict[str, list[tuple[str, str]]]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    for name in columns:
        table.add_column(name, justify="right")
    for row in zip(*columns.values(), strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    Console().print(table)
