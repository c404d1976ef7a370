"""Settings that hold for every test."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.dose import DOSES, Dose, DoseName
from support.figures import Figures

# A shared machine stalls now and then; how long one example takes says nothing about the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

_FIGURES = pytest.StashKey[Figures]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the acceptance tests."""
    group = parser.getgroup("acceptance")
    group.addoption("--dose", choices=list(DOSES), default="small", help="how much of them is run")
    group.addoption("--figures", type=Path, default=None, help="file for what they measured, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """One collection of figures a run."""
    config.stash[_FIGURES] = Figures(_dose_name(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say beside a test's figures whether it passed."""
    report = yield
    if report.when == "call":
        item.config.stash[_FIGURES].conclude(item.name, passed=report.passed)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the figures where they were asked for, and show them."""
    path: Path | None = config.getoption("--figures")
    text = config.stash[_FIGURES].render()
    if path is not None and text is not None:
        config.stash[_FIGURES].write(path)
        terminalreporter.section(f"figures, also in {path}")
        terminalreporter.write(text)


def _dose_name(config: pytest.Config) -> DoseName:
    name: DoseName = config.getoption("--dose") or "small"
    return name


@pytest.fixture(scope="session")
def dose(pytestconfig: pytest.Config) -> Dose:
    """How much the acceptance tests are to do: `--dose`."""
    return DOSES[_dose_name(pytestconfig)]


@pytest.fixture
def record(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Records figures of this test; see `--figures`."""
    figures = request.config.stash[_FIGURES]

    def add(**values: Any) -> None:
        figures.record(request.node.name, values)

    return add
