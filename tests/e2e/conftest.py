"""One live cluster for all end-to-end tests: deployed when the first asks, destroyed by the last."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from rich.console import Console
from support.machine import Footprint, footprint

from tidegate.deploy.down import take_down
from tidegate.errors import TidegateError
from tidegate.host.paths import state_dir
from tidegate.prepare import Site, open_engine, prepare
from tidegate.proc import run
from tidegate.prove.job import deploy

STACK = "e2e"
console = Console(stderr=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the live cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("e2e")
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session")
def before() -> Footprint:
    """What the host looked like before the stack was made."""
    for line in take_down(STACK, stop=False, purge=False, console=console):
        console.print(line)
    return footprint(open_engine(install=os.environ.get("CI") == "true").env())


@pytest.fixture(scope="session")
def site(before: Footprint) -> Iterator[Site]:
    """The deployed stack. On a failure the cluster's own words are kept beside the other logs."""
    made = prepare(STACK, source=os.environ.get("TIDEGATE_SOURCE", "auto"), install=True, console=console)
    try:
        deploy(made, console)
    except TidegateError:
        collect_logs(made)
        raise
    yield made
    for line in take_down(STACK, stop=False, purge=False, console=console):
        console.print(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Collect the cluster's state as soon as a test fails, while it is still there."""
    report = yield
    made = getattr(item, "funcargs", {}).get("site")
    if report.failed and isinstance(made, Site):
        collect_logs(made)
    return report


def collect_logs(site: Site) -> None:
    """Print what a person would look at first."""
    env = {**os.environ, **site.environment}
    for words in (
        ["get", "nodes", "-o", "wide"],
        ["get", "pods", "-A", "-o", "wide"],
        ["get", "events", "-A", "--sort-by=.lastTimestamp"],
        ["describe", "hpa", "-A"],
        ["logs", "-n", "tidegate", "-l", "app.kubernetes.io/name=tidegate", "--tail=20", "--prefix"],
    ):
        answer = run(["kubectl", *words], env=env, timeout_s=60, check=False)
        lines = (answer.stdout + answer.stderr).splitlines()
        print(f"--- kubectl {' '.join(words)}", *lines[-60:], sep="\n")
    for log in sorted((state_dir() / "logs").glob("pulumi-*.log")):
        print(f"--- {log}", *log.read_text(errors="replace").splitlines()[-30:], sep="\n")
