"""Run a scenario: Locust as a child process, its requests recorded into a Run."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.load.catalogue import ScenarioPlan, plan_scenario
from tidegate.load.handover import PARENT_VARIABLE, PASSWORD_VARIABLE, RUN_VARIABLE
from tidegate.load.progress import LoadDisplay, RequestTail

LOG_FILE = "locust.log"
_TICK_S = 0.5
_START_S = 60.0
"""Time Locust may take to start, and at the end to write what is left."""
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class LoadResult:
    """How a load ended."""

    window_s: tuple[float, float] | None
    """First intended start and last end, unix seconds; None when no request was recorded."""
    requests: int
    failures: int
    exit_status: int
    """0 when the load ran to its end, whatever the service answered; 130 when it was interrupted."""
    parameters: dict[str, str]
    """Every parameter of the scenario, defaults included."""

    @property
    def interrupted(self) -> bool:
        """Whether the user broke it off; what had been sent is recorded."""
        return self.exit_status == EXIT_INTERRUPTED


def run_load(
    scenario: str,
    *,
    run_dir: Path,
    host: str,
    parameters: Mapping[str, str],
    progress: Console | None,
    folder: Path | None = None,
    password: str | None = None,
) -> LoadResult:
    """Run `scenario` against `host` and record every request into the Run at `run_dir`.

    On Ctrl-C Locust is asked to quit: users finish the request they are in, the rest is written, and the
    result says it was interrupted. A second Ctrl-C ends it at once, losing at most what was not yet flushed.

    Args:
        scenario: a name from `available_scenarios`.
        run_dir: an existing Run folder; Locust's own output goes to `locust.log` in it.
        host: address of the service, such as `http://127.0.0.1:8080`.
        parameters: the scenario's parameters by name, as text; `processes` among them is how many processes
            generate the load.
        progress: console to show progress on (standard error as a rule), None for silence.
        folder: folder of scenarios; the project's by default.
        password: of the service's seeded accounts; None leaves it to the environment.

    Raises:
        TidegateError: unknown scenario or parameter, a host that may not be loaded, or Locust failed.
    """
    with progress.status(f"Reading {scenario}") if progress is not None else contextlib.nullcontext():
        plan = plan_scenario(scenario, parameters, folder=folder)
    if not run_dir.is_dir():
        raise TidegateError("the Run's folder is not there", where=str(run_dir))
    tail = RequestTail(run_dir, RequestTail.present(run_dir))
    log = run_dir / LOG_FILE
    with log.open("ab") as output:
        child = subprocess.Popen(
            _command(plan, host),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(run_dir, password),
            process_group=0,  # the terminal's Ctrl-C is for the driver, which passes it on once
        )
        with LoadDisplay(progress, scenario, plan.duration_s) as display:
            interrupted = _attend(child, plan, tail, display)
    tally = tail.read()
    status = EXIT_INTERRUPTED if interrupted else child.returncode
    if status not in (0, EXIT_INTERRUPTED):
        raise TidegateError(f"locust failed with exit code {status}: {_last_line(log)}", where=str(log))
    return LoadResult(tally.window_s, tally.requests, tally.failures, status, plan.parameters)


def _command(plan: ScenarioPlan, host: str) -> list[str]:
    return [
        *(sys.executable, "-m", "locust", "-f", str(plan.path), "--headless", "--host", host),
        # Failed requests are the verdict's business; an exit code other than 0 means the load itself failed.
        *("--exit-code-on-error", "0", "--only-summary"),
        *(_processes(plan.processes) if plan.processes > 1 else []),
        *plan.flags,
    ]


def _processes(count: int) -> list[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    return [
        *("--processes", str(count), "--enable-rebalancing"),
        *("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--master-port", port),
    ]


def _environment(run_dir: Path, password: str | None) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
    if password is not None:
        inherited[PASSWORD_VARIABLE] = password
    return {**inherited, RUN_VARIABLE: str(run_dir.resolve()), PARENT_VARIABLE: str(os.getpid())}


def _attend(
    child: subprocess.Popen[bytes], plan: ScenarioPlan, tail: RequestTail, display: LoadDisplay
) -> bool:
    """Wait for the child, showing figures; return whether the user broke it off. Never leaves it running."""
    timeout_s = float(plan.parameters.get("request_timeout_s", "60"))
    limit_s = None if plan.duration_s is None else plan.duration_s + timeout_s + 2 * _START_S
    ends_s = None if limit_s is None else time.monotonic() + limit_s
    try:
        while child.poll() is None:
            _wait(child, _TICK_S)
            display.show(tail.read())
            if ends_s is not None and time.monotonic() > ends_s:
                raise TidegateError(f"locust did not end within {limit_s:.0f} s")
    except KeyboardInterrupt:
        display.say(f"ending: up to {timeout_s:.0f} s for requests under way; Ctrl-C again cuts them off")
        child.send_signal(signal.SIGINT)
        _wait(child, timeout_s + _START_S)
        return True
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    return False


def _wait(child: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1].removeprefix("error: ") if lines else "no output"
