"""Deploy, load and judge, in a row: one verdict, one report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from rich.console import Console

from tidegate.deploy.events import OperationProgress
from tidegate.errors import TidegateError
from tidegate.host.paths import kubeconfig_path
from tidegate.host.progress import step
from tidegate.load.drive import LoadResult, run_load
from tidegate.load.pods.conduct import run_in_cluster
from tidegate.models import Expectations, Plan, Verdict, run_name
from tidegate.observe.drive import Observer
from tidegate.prepare import Site
from tidegate.prove.audit import keep_ledger
from tidegate.prove.credentials import demo_password
from tidegate.prove.facts import machine, versions
from tidegate.prove.inside import inside
from tidegate.prove.settle import Limits, wait_until_calm
from tidegate.report import write_report
from tidegate.run.folder import new_run, save_plan
from tidegate.run.reader import RunReader
from tidegate.verdict import judge


def deploy(site: Site, console: Console) -> OperationProgress:
    """`pulumi up` with progress."""
    stack = site.stack
    began_s = time.monotonic()
    with step(f"Deploying stack {site.name}", console=console) as say:
        stack.ensure(say)

        def report(progress: OperationProgress) -> None:
            say(
                f"{progress.done} done, {time.monotonic() - began_s:.0f} s; now {progress.current() or '...'}"
            )

        return stack.up(report)


def measure(
    site: Site,
    scenario: str,
    parameters: Mapping[str, str],
    *,
    runs: Path,
    min_peak: int | None,
    tail_s: float,
    console: Console,
    limits: Limits | None = None,
    beside: Callable[[Path], AbstractContextManager[object]] = nullcontext,
    in_cluster: int | None = None,
) -> tuple[Path, Verdict]:
    """Load a deployed service, record everything, judge it, and write the report.

    Args:
        site: the deployed stack.
        scenario: a file of `loadtests/`, without `.py`.
        parameters: its parameters, by name.
        runs: folder in which the Run's own folder is made.
        min_peak: fewest web pods that must be Ready at once; None expects nothing.
        tail_s: seconds to go on recording after the load, so that the way down is seen too.
        console: where progress goes.
        limits: how long each wait for rest may last.
        beside: entered for the time of the load, with the Run's folder: what else is done to the service.
        in_cluster: how many pods of the cluster generate the load; None generates it on this machine.

    Returns:
        The Run's folder and its verdict.

    Raises:
        TidegateError: the service never came to rest, or the load could not be made.
        KeyboardInterrupt: the user broke it off; what was recorded stays readable.
    """
    with step("Waiting for the service to rest", console=console) as say:
        wait_until_calm(site.gateway, site.environment, say=say, limits=limits)
    password = demo_password(site.environment)
    created_s = time.time()
    plan = Plan(
        run_id=run_name(created_s, scenario),
        created_s=created_s,
        scenario=scenario,
        scenario_parameters=dict(parameters),
        policy=site.config.policy,
        slo=site.config.slo,
        cluster=site.config.cluster,
        versions=versions(site),
        host=machine(),
        expectations=Expectations(min_peak_ready_web=min_peak),
    )
    folder = new_run(runs, plan)
    console.print(f"Recording into {folder}", highlight=False, soft_wrap=True)
    kubeconfig = kubeconfig_path(site.config.cluster.name)
    with Observer(kubeconfig, folder, vertical=site.config.policy.needs_vpa) as observer:
        with beside(folder):
            result = _load(site, scenario, parameters, folder, password, console, in_cluster)
            if result.interrupted:
                raise KeyboardInterrupt
        if result.window_s is None:
            raise TidegateError("no request was recorded", where=str(folder / "locust.log"))
        plan = plan.model_copy(update={"scenario_parameters": dict(result.parameters)})
        save_plan(folder, plan.with_load_window(*result.window_s))
        watch_tail(observer, tail_s, console)
        with step("Asking for every order that was acknowledged", console=console) as say:
            keep_ledger(folder, site.gateway, password, say=say)
    run = RunReader(folder)
    verdict = judge(run)
    write_report(folder)
    return folder, verdict


def _load(
    site: Site,
    scenario: str,
    parameters: Mapping[str, str],
    folder: Path,
    password: str,
    console: Console,
    in_cluster: int | None,
) -> LoadResult:
    if in_cluster is None:
        return run_load(
            scenario,
            run_dir=folder,
            host=site.gateway,
            parameters=parameters,
            progress=console,
            password=password,
        )
    with inside(site, in_cluster) as place:
        return run_in_cluster(
            scenario, place, run_dir=folder, parameters=parameters, progress=console, password=password
        )


def watch_tail(observer: Observer, tail_s: float, console: Console) -> None:
    """Keep recording while the service scales back in."""
    with step("Watching the way down", console=console) as say:
        ends_s = time.monotonic() + tail_s
        while (left_s := ends_s - time.monotonic()) > 0:
            observer.check()
            say(f"{left_s:.0f} s left")
            time.sleep(min(1.0, left_s))
