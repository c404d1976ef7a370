"""`tidegate bench`: measurements over several runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from tidegate.bench.churn_figures import ChurnRun
    from tidegate.bench.figures import ScaleFigures, ScaleRun

app = typer.Typer(help="Measure a deployed stack over several runs.", no_args_is_help=True)

EXIT_ABOVE = 1


class Output(StrEnum):
    """How the figures are printed."""

    table = "table"
    json = "json"


class Loop(StrEnum):
    """Whether the load waits for answers."""

    closed = "closed"
    open = "open"


@app.callback()
def bench() -> None:
    """Measure a deployed stack over several runs."""


@app.command("scale")
def scale_command(
    from_replicas: Annotated[int, typer.Option("--from", min=1, help="Web pods at rest: min_replicas.")] = 8,
    to_replicas: Annotated[
        int, typer.Option("--to", min=2, help="Web pods the step must end with: max_replicas.")
    ] = 47,
    count: Annotated[int, typer.Option("--runs", min=1, max=100, help="How many runs.")] = 10,
    users: Annotated[int, typer.Option(min=1, help="Users of the step.")] = 60,
    base_users: Annotated[int, typer.Option(min=1, help="Users before it.")] = 2,
    warm_s: Annotated[float, typer.Option(min=10, help="Seconds of steady load before the step.")] = 30.0,
    hold_s: Annotated[
        float, typer.Option(min=10, help="Seconds the step is held: the longest time that can be seen.")
    ] = 120.0,
    at_most_s: Annotated[
        float | None, typer.Option(min=0, help="End with 1 when p95_s is above it, or a run never got there.")
    ] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="Pulumi stack, deployed.")] = "local",
    folder: Annotated[Path, typer.Option("--folder", help="Where the Runs go.")] = Path("runs"),
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.table,
) -> None:
    """Time a step in offered load until all web pods that it needs are Ready."""
    from tidegate.bench.scale import Step, bench_scale
    from tidegate.host.lock import state_lock
    from tidegate.prepare import attach

    console = Console(stderr=True)

    def told(run: ScaleRun) -> None:
        took = "never" if run.seconds is None else f"after {run.seconds:.1f} s"
        console.print(f"{to_replicas} Ready {took}; at most {run.most_ready}", highlight=False)

    step = Step(from_replicas, to_replicas, base_users, users, warm_s, hold_s)
    with state_lock("bench"):
        figures = bench_scale(attach(stack), step, count=count, runs=folder, console=console, told=told)
    if output is Output.json:
        print(figures.model_dump_json(indent=2))
    else:
        from tidegate.bench.view import scale_view

        Console().print(scale_view(figures))
    if at_most_s is not None and not within(figures, at_most_s):
        raise typer.Exit(EXIT_ABOVE)


@app.command("churn")
def churn_command(
    high: Annotated[int, typer.Option(min=2, help="Web pods after each scale-out.")] = 20,
    low: Annotated[int, typer.Option(min=1, help="Web pods after each scale-in.")] = 4,
    requests: Annotated[
        int, typer.Option(min=1, help="Fewest requests over all Runs: as many Runs are made as that takes.")
    ] = 100_000,
    users: Annotated[
        int | None,
        typer.Option(min=1, help="Users, one request a second each. By default half of what LOW pods carry."),
    ] = None,
    loop: Annotated[Loop, typer.Option(help="closed: users wait for answers; open: arrivals do not.")] = (
        Loop.closed
    ),
    run_s: Annotated[
        float, typer.Option(min=60, max=7200, help="Seconds the load of one Run lasts.")
    ] = 540.0,
    also: Annotated[
        list[Path] | None,
        typer.Option(help="A Run of an earlier, broken-off call that counts too; may be repeated."),
    ] = None,
    clean: Annotated[
        bool, typer.Option("--clean", help="Only put back the floors that a killed call has left.")
    ] = False,
    stack: Annotated[str, typer.Option("--stack", "-s", help="Pulumi stack, deployed.")] = "local",
    folder: Annotated[Path, typer.Option("--folder", help="Where the Runs go.")] = Path("runs"),
    output: Annotated[Output, typer.Option("--output", "-o", help="table or json.")] = Output.table,
) -> None:
    """Scale out, scale in and update under load, over and over: no request may fail, no order be lost.

    Ends with 0 when none was over all the requests, 1 when one was, 2 when the proof lacks something.
    """
    from tidegate.bench import churn
    from tidegate.bench.churn_view import churn_view, run_line
    from tidegate.host.lock import state_lock
    from tidegate.prepare import attach
    from tidegate.verdict import exit_code

    console = Console(stderr=True)

    def told(run: ChurnRun) -> None:
        console.print(run_line(run), highlight=False, soft_wrap=True)

    with state_lock("bench"):
        site = attach(stack)
        if clean:
            churn.clean(site, print)
            return
        policy = site.config.policy
        crowd = churn.half_load(policy, low) if users is None else users
        figures = churn.bench_churn(
            site,
            churn.Churn(high, low, requests, crowd, run_s, loop.value),
            runs=folder,
            console=console,
            earlier=churn.earlier_runs(also or (), policy),
            told=told,
        )
    if output is Output.json:
        print(figures.model_dump_json(indent=2))
    else:
        Console().print(churn_view(figures))
    raise typer.Exit(exit_code(figures.outcome))


def within(figures: ScaleFigures, at_most_s: float) -> bool:
    """Whether every run got there, and p95 did in time."""
    everyone = figures.reached == len(figures.runs)
    return everyone and figures.p95_s is not None and figures.p95_s <= at_most_s
