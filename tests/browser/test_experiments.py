"""A Run that was broken on purpose, as a reader sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from support.chaos_run import Failing
from support.chaos_run import build as build_chaos_run

from tidegate.report import write_gallery, write_report
from tidegate.run import RunReader
from tidegate.verdict import judge

Open = Callable[..., Page]


def test_the_fault_is_a_band_in_every_chart(open_report: Open) -> None:
    page = open_report("broken")
    for name in ("load", "latency", "replicas"):
        band = page.locator(f'[data-chart="{name}"] .fault-band')
        assert band.count() == 1
        assert band.bounding_box()["width"] >= 1  # type: ignore[index]


def test_proofs_and_spans_are_told(open_report: Open) -> None:
    page = open_report("broken")
    rows = page.locator("#experiments .proofs tbody tr")
    assert rows.count() == 3
    spans = page.locator("#experiments .spans tbody th").all_inner_texts()
    assert spans == ["before", "during", "after"]
    assert "web-a was deleted" in page.locator("#experiments .evidence").inner_text()


def test_the_section_is_reached_from_the_top(open_report: Open) -> None:
    page = open_report("broken")
    page.get_by_role("link", name="Experiments").click()
    assert page.url.endswith("#experiments")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_table_makes_the_page_wider_than_the_window(open_report: Open, width: int) -> None:
    page = open_report("broken", size=(width, 844))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_gallery_leads_to_each_report(browser: Browser, tmp_path: Path) -> None:
    for name, shape in {"one": {}, "two": {"failing": (Failing(0, 60),)}}.items():
        made = build_chaos_run(tmp_path / f"draft-{name}", **shape)
        judge(RunReader(made))
        write_report(made)
        made.rename(tmp_path / name)
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(write_gallery(tmp_path).as_uri())
    assert page.locator("#runs tbody tr").count() == 2
    assert page.locator("svg.trend polyline").count() == 2
    page.locator("#runs tbody a").first.click()
    assert page.locator("#experiments").count() == 1
    assert errors == []
    page.close()
