"""Commands about this machine, for the command line to mount."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.logs import read_since, telling_line
from tidegate.host.doctor import run_doctor
from tidegate.host.engine import describe_daemon, find_engine, start_engine, stop_engine
from tidegate.host.interrupt import interruptible
from tidegate.host.lock import state_lock
from tidegate.host.packages import install_packages, missing_packages
from tidegate.host.progress import step
from tidegate.host.report import summary, table


class Output(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"


class Action(StrEnum):
    """What to do with an engine of our own."""

    STATUS = "status"
    START = "start"
    STOP = "stop"


def doctor_command(
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
    cluster: Annotated[str, typer.Option(help="Name of the cluster whose ports are our own.")] = "tidegate",
    gateway_port: Annotated[
        int, typer.Option(help="Port on 127.0.0.1 for requests.", min=1, max=65535)
    ] = 8080,
    api_port: Annotated[
        int | None, typer.Option(help="Port on 127.0.0.1 for the cluster's API; any free one if left out.")
    ] = None,
) -> None:
    """Look at this machine: can it run a cluster, and if not, what to do. Exits 3 if anything fails."""
    with step("Looking at this machine"):
        report = run_doctor(cluster_name=cluster, gateway_port=gateway_port, api_port=api_port)
    if output is Output.JSON:
        typer.echo(report.model_dump_json(indent=2))
    else:
        console = Console()
        console.print(table(report))
        console.print(summary(report), highlight=False)
    raise typer.Exit(report.exit_code)


def engine_command(
    action: Annotated[Action, typer.Argument(help="What to do.")] = Action.STATUS,
    remove_data: Annotated[
        bool, typer.Option("--remove-data", help="With stop: delete its images, containers and volumes too.")
    ] = False,
    install: Annotated[
        bool, typer.Option("--install/--no-install", help="With start: install missing packages, as root.")
    ] = True,
) -> None:
    """Show the container engine, or start or stop one of our own. Engines of others are never touched."""
    if remove_data and action is not Action.STOP:
        raise TidegateError(
            "--remove-data belongs to `stop`", cure="run `tidegate engine stop --remove-data`"
        )
    with interruptible():
        if action is Action.START:
            _start(install=install)
        elif action is Action.STOP:
            _stop(remove_data=remove_data)
        else:
            _status()


def _status() -> None:
    engine = find_engine()
    if engine is None:
        layout = Layout.of()
        last = telling_line(read_since(layout.log, 0)) if layout.record.exists() else ""
        why = f"; our own has crashed: {last}" if last else ""
        raise TidegateError(f"no container engine answers{why}", cure="run `tidegate engine start` as root")
    typer.echo(f"{engine.host}  {engine.version.version}  {describe_daemon(engine)}")


def _start(*, install: bool) -> None:
    engine = find_engine()
    if engine is None:
        with state_lock("engine start"):
            if install:
                install_packages(missing_packages("engine"))
            engine = start_engine()
    typer.echo(f"{engine.host}  {engine.version.version}  {describe_daemon(engine)}")


def _stop(*, remove_data: bool) -> None:
    with state_lock("engine stop"):
        stopped = stop_engine(remove_data=remove_data)
    if stopped.was_running:
        typer.echo("stopped, data removed" if stopped.data_removed else "stopped")
    else:
        typer.echo("data removed" if stopped.data_removed else "no engine of our own was running")
