"""The `tidegate` command. It knows every part and decides nothing.

Results go to standard output, everything else to standard error. Exit codes: 0 done or held, 1 not held,
2 could not tell, 3 one line that says what to mend, 130 interrupted.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from tidegate.errors import TidegateError

if TYPE_CHECKING:  # each command imports what it needs, so that --help stays quick
    from tidegate.models import Verdict

EXIT_ERROR = 3
EXIT_INTERRUPTED = 130

app = typer.Typer(
    name="tidegate",
    help="Deploy, load, judge and simulate the autoscaling of a Python service on Kubernetes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

StackName = Annotated[
    str, typer.Option("--stack", "-s", help="Pulumi stack, configured in Pulumi.<stack>.yaml.")
]
Source = Annotated[
    str,
    typer.Option(
        envvar="TIDEGATE_SOURCE",
        help="Where tools and images come from: auto, registry, or packages (built here).",
    ),
]
Install = Annotated[bool, typer.Option("--install", help="As root, install missing system packages.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--set", help="A parameter of the scenario as name=value; may be repeated."),
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder in which the Run's own folder is made.")]
TailS = Annotated[
    float, typer.Option("--tail-s", min=0, help="Seconds to go on recording after the load: the way down.")
]
RunFolder = Annotated[Path, typer.Argument(help="A Run's folder.")]

console = Console(stderr=True)


@app.command()
def env(stack: StackName = "local") -> None:
    """Print the environment for plain pulumi, kubectl and helm: eval "$(tidegate env)"."""
    from tidegate.deploy.environment import shell_exports, tool_environment
    from tidegate.prepare import open_engine, stack_config

    _, config = stack_config(stack)
    engine = open_engine(install=False)
    print(shell_exports(tool_environment(engine.env(), cluster=config.cluster.name)))


@app.command()
def up(stack: StackName = "local", source: Source = "auto", install: Install = False) -> None:
    """Deploy: engine, tools, images, then what `pulumi up` does."""
    from tidegate.host.lock import state_lock
    from tidegate.prepare import prepare
    from tidegate.prove.job import deploy

    with state_lock("up"):
        site = prepare(stack, source=source, install=install, console=console)
        progress = deploy(site, console)
    changes = {name: count for name, count in progress.changed.items() if name != "same"}
    print(f"stack {stack}: {changes or 'no change'}; the service answers at {site.gateway}")


@app.command()
def down(
    stack: StackName = "local",
    engine: Annotated[
        bool, typer.Option("--engine", help="Also stop the engine that tidegate started.")
    ] = False,
    purge: Annotated[bool, typer.Option("--purge", help="With --engine: delete its images too.")] = False,
) -> None:
    """Remove the stack and everything that belongs to it."""
    from tidegate.deploy.down import take_down
    from tidegate.host.lock import state_lock

    with state_lock("down"):
        for line in take_down(stack, stop=engine, purge=purge, console=console):
            print(line)


@app.command()
def load(
    scenario: Annotated[str, typer.Argument(help="A file of loadtests/, without .py.")] = "",
    stack: StackName = "local",
    parameters: Parameters = None,
    runs: Runs = Path("runs"),
    tail_s: TailS = 100.0,
    in_cluster: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Generate it from so many pods of the cluster, not from here."),
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Remove what a load in the cluster left, and do nothing else.")
    ] = False,
) -> None:
    """Load a deployed service, record the Run, judge it."""
    from contextlib import nullcontext

    from tidegate.host.lock import state_lock
    from tidegate.prepare import attach

    if clean == bool(scenario):
        raise TidegateError("name a scenario, or give --clean", cure="tidegate load spike")
    site = attach(stack)
    if clean:
        from tidegate.prove.inside import clean as clean_up

        with state_lock("load"):
            print("\n".join(clean_up(site)) or "nothing was left")
        return
    from tidegate.prove.job import measure

    # What an earlier load left in the cluster is removed first: it must not be another one's that runs.
    with state_lock("load") if in_cluster else nullcontext():
        found = measure(
            site,
            scenario,
            pairs(parameters),
            runs=runs,
            min_peak=None,
            tail_s=tail_s,
            console=console,
            in_cluster=in_cluster,
        )
    _finish(*found)


@app.command()
def prove(
    scenario: Annotated[str, typer.Argument(help="A file of loadtests/, without .py.")] = "spike",
    stack: StackName = "local",
    source: Source = "auto",
    install: Install = False,
    parameters: Parameters = None,
    runs: Runs = Path("runs"),
    min_peak: Annotated[
        int | None, typer.Option(help="Fewest web pods that must be Ready at once at the peak.")
    ] = None,
    tail_s: TailS = 100.0,
) -> None:
    """Deploy, load, judge: one verdict, one exit code. A stack with faults is broken too, in every way."""
    from tidegate.host.lock import state_lock
    from tidegate.load.catalogue import plan_scenario
    from tidegate.prepare import prepare
    from tidegate.prove.job import deploy, measure

    began_s = time.monotonic()
    given = pairs(parameters)
    plan_scenario(scenario, given)  # a misspelt parameter is told now, not after the deployment
    with state_lock("prove"):
        site = prepare(stack, source=source, install=install, console=console)
        deploy(site, console)
        folder, verdict = measure(
            site,
            scenario,
            given,
            runs=runs,
            min_peak=min_peak,
            tail_s=tail_s,
            console=console,
        )
        broken = 0
        if site.config.faults.chaos_mesh:
            from tidegate.chaos.cli import prove_experiments

            broken = prove_experiments(site, runs)
    console.print(f"The whole took {time.monotonic() - began_s:.0f} s.", highlight=False)
    _finish(folder, verdict, also=broken)


@app.command()
def report(run: RunFolder) -> None:
    """Write the Run's report anew from its files."""
    from tidegate.report import write_report

    print(write_report(run))


@app.command()
def gallery(runs: Annotated[Path, typer.Argument(help="Folder of Runs.")] = Path("runs")) -> None:
    """Write one page over many Runs, with the trend of each experiment."""
    from tidegate.report import write_gallery

    print(write_gallery(runs))


@app.command()
def verdict(run: RunFolder) -> None:
    """Judge a Run again from its files."""
    from tidegate.run import RunReader
    from tidegate.verdict import judge

    _finish(run, judge(RunReader(run)))


@app.command()
def lag(run: RunFolder) -> None:
    """Print what the time of each scale event, and of each node added, was made of."""
    from tidegate.lag import breakdown, node_paths
    from tidegate.run import RunReader
    from tidegate.show import lag_view, nodes_view

    record = RunReader(run)
    Console().print(lag_view(breakdown(record)))
    added = node_paths(record)
    if added:
        Console().print(nodes_view(added))


@app.command()
def dev(
    port: int = 8000, data: Annotated[Path | None, typer.Option(help="Folder of the database.")] = None
) -> None:
    """Run the service alone on this machine, with SQLite and no Redis."""
    from tidegate.dev import dev as serve

    raise typer.Exit(serve(port, data))


@app.command()
def install(
    purpose: Annotated[str, typer.Argument(help="engine, build or test.")],
) -> None:
    """As root on Debian or Ubuntu: install the system packages that a purpose lacks."""
    from tidegate.host.packages import NEEDS, install_packages, missing_packages

    if purpose not in NEEDS:
        raise TidegateError(f"there is no purpose {purpose!r}", cure=f"choose from {', '.join(NEEDS)}")
    install_packages(missing_packages(purpose))


@app.command()
def schema(model: Annotated[str, typer.Argument(help="policy, slo, cluster, hpa-history, ...")]) -> None:
    """Print the JSON schema of a block of Pulumi.<stack>.yaml, or of a file or line."""
    from tidegate.models.schema import json_schemas
    from tidegate.simulate.wire.output import line_schemas

    known = json_schemas() | line_schemas()
    if model not in known:
        raise TidegateError(f"there is no model {model!r}", cure=f"choose from {', '.join(known)}")
    print(json.dumps(known[model], indent=2))


def _mount() -> None:
    """Add the commands that parts bring along."""
    from tidegate.bench.cli import app as bench_app
    from tidegate.chaos.cli import chaos_command
    from tidegate.host.cli import doctor_command, engine_command
    from tidegate.images.cli import app as images_app
    from tidegate.nodes.cli import app as nodes_app
    from tidegate.policy.cli import app as policy_app
    from tidegate.simulate.cli import app as hpa_app
    from tidegate.simulate.cli import simulate_command

    app.command("chaos")(chaos_command)
    app.command("doctor")(doctor_command)
    app.command("engine")(engine_command)
    app.add_typer(bench_app, name="bench")
    app.add_typer(images_app, name="images")
    app.add_typer(policy_app, name="policy")
    app.add_typer(nodes_app, name="nodes")
    app.add_typer(hpa_app, name="hpa")
    app.command("simulate")(simulate_command)


def pairs(words: list[str] | None) -> dict[str, str]:
    """`["a=1"]` as a mapping.

    Raises:
        TidegateError: a word without `=`.
    """
    found: dict[str, str] = {}
    for word in words or []:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise TidegateError(
                f"--set {word!r} is not name=value", cure="write for example --set spike_s=60"
            )
        found[name] = value
    return found


def _finish(folder: Path, verdict: Verdict, *, also: int = 0) -> NoReturn:
    from tidegate.show import verdict_view
    from tidegate.verdict import exit_code

    Console().print(verdict_view(verdict))
    print(f"Report: {(folder / 'report.html').resolve()}")
    codes = {exit_code(verdict.outcome), also}
    raise typer.Exit(next(code for code in (1, 2, 0) if code in codes))


_AFTERWARDS = {
    "up": "`tidegate up` goes on from here, `tidegate down` cleans",
    "prove": "`tidegate prove` goes on from here, `tidegate down` cleans; the Run keeps what was recorded",
    "load": "what was recorded is in the Run's folder, and `tidegate report` shows it",
    "chaos": "the fault is lifted; `tidegate chaos --clean` looks for what may be left",
    "images": "the same command goes on from here",
}


def _interrupted(command: list[str]) -> str:
    """Say what an interrupted command has left, and how to go on."""
    return "; ".join(["interrupted", *(_AFTERWARDS[each] for each in command if each in _AFTERWARDS)])


def _terminated(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line and turn every way to end into an exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    _mount()
    try:
        status = app(standalone_mode=False)
    except TidegateError as error:
        console.print(f"error: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except Exception as error:  # typer's own complaints about the command line, told in one line
        code = getattr(error, "exit_code", None)
        message = getattr(error, "format_message", None)
        if code is None or message is None:
            raise
        console.print(f"error: {message()}", style="red", highlight=False, soft_wrap=True, markup=False)
        sys.exit(EXIT_ERROR)
    if status == EXIT_INTERRUPTED:  # typer turns Ctrl-C inside a command into this status, and tells nobody
        console.print(_interrupted(sys.argv[1:2]), style="yellow", highlight=False, soft_wrap=True)
    sys.exit(status if isinstance(status, int) else 0)
