"""A real Chromium, a report of each sort of run, and a guard on every page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from support.chaos_run import build as build_chaos_run
from support.eventful_run import build_eventful_run
from support.hostile_run import build_hostile_run
from support.synthetic_run import SLO, build_run

from tidegate.models import ClusterConfig, Plan, Policy
from tidegate.report import write_report
from tidegate.run import RunReader, new_run
from tidegate.verdict import judge

FLAGS = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium, and in CI the report must be seen in one")
        pytest.skip("no Chromium on this machine: install the package chromium")
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=flags)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One report each of a tame, an eventful, a hostile and an empty run, and one broken on purpose."""
    folder = tmp_path_factory.mktemp("reports")
    tame, eventful = build_run(folder / "tame"), build_eventful_run(folder / "eventful")
    broken = build_chaos_run(folder / "broken")
    for run in (tame, eventful, broken):
        judge(RunReader(run))
    plan = Plan(
        run_id="empty", created_s=1.7e9, scenario="none", policy=Policy(), slo=SLO, cluster=ClusterConfig()
    )
    runs = {
        "tame": tame,
        "eventful": eventful,
        "hostile": build_hostile_run(folder / "hostile"),
        "empty": new_run(folder, plan),
        "broken": broken,
    }
    return {name: write_report(run) for name, run in runs.items()}


@dataclass
class Guard:
    """What a page did that it must not do."""

    requests: list[str] = field(default_factory=list[str])
    complaints: list[str] = field(default_factory=list[str])


Open = Callable[..., Page]


@pytest.fixture
def open_report(browser: Browser, reports: dict[str, Path]) -> Iterator[Open]:
    """Open a report; at the end of the test it must have fetched nothing and complained of nothing."""
    guard = Guard()
    contexts: list[Any] = []

    def opened(
        name: str = "eventful", size: tuple[int, int] = DESKTOP, theme: str = "light", scripts: bool = True
    ) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=size != DESKTOP,
            java_script_enabled=scripts,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        own = reports[name].as_uri()

        def fetched(url: str) -> None:
            if url.split("#")[0] != own and not url.startswith("data:"):
                guard.requests.append(url)

        page.on("request", lambda request: fetched(request.url))
        page.on("websocket", lambda socket: guard.requests.append(socket.url))
        page.on("pageerror", lambda error: guard.complaints.append(str(error)))
        page.on(
            "console",
            lambda said: guard.complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("dialog", lambda dialog: guard.complaints.append(f"dialog: {dialog.message}"))
        page.goto(own)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert guard == Guard()
