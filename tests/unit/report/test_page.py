"""The page itself: self-contained, bound by its own policy, and deaf to hostile names."""

from __future__ import annotations

import base64
import hashlib
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from support.hostile_run import TEXT, build_hostile_run
from support.synthetic_run import REQUESTS, T0, WINDOW_S, build_run

from tidegate.errors import TidegateError
from tidegate.report import collect, write_report
from tidegate.report.embed import script_json
from tidegate.run import RunReader
from tidegate.verdict import judge


class Page(HTMLParser):
    """Elements with their attributes, and the text inside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, dict[str, str | None], str]] = []
        self.text = ""
        self._inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside.append(tag)
            self.raw.append((tag, dict(attrs), ""))

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if self._inside:
            tag, attributes, text = self.raw[-1]
            self.raw[-1] = (tag, attributes, text + data)
        else:
            self.text += data

    def block(self) -> dict[str, Any]:
        (text,) = [text for _, attributes, text in self.raw if attributes.get("id") == "report-data"]
        return json.loads(text)


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    run = build_run(tmp_path_factory.mktemp("page"))
    judge(RunReader(run))
    return write_report(run).read_text(encoding="utf-8")


def test_it_lies_in_the_runs_folder(tmp_path: Path) -> None:
    run = build_run(tmp_path)
    assert write_report(run) == run / "report.html"
    assert write_report(run).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_is_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="not a run"):
        write_report(tmp_path)


def test_nothing_is_fetched(html: str) -> None:
    page = Page(html)
    assert not [
        tag for tag, _ in page.elements if tag in ("img", "iframe", "object", "embed", "base", "form")
    ]
    for tag, attributes in page.elements:
        assert "src" not in attributes, tag
        assert "srcset" not in attributes, tag
        assert (attributes.get("href") or "#").startswith(("#", "data:")), attributes
    styles = "".join(text for tag, _, text in page.raw if tag == "style")
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_policy_allows_this_pages_own_code_and_nothing_else(html: str) -> None:
    page = Page(html)
    (policy,) = [
        attributes["content"] or ""
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert "unsafe" not in policy
    for tag, attributes, text in page.raw:
        if attributes.get("type") == "application/json":
            continue
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in directives[f"{tag}-src"].split()
    for _, attributes in page.elements:
        # The policy would refuse them.
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]


def test_the_machine_readable_block(html: str) -> None:
    block = Page(html).block()
    assert block["totals"]["requests"] == REQUESTS
    assert block["totals"]["failed"] == 4
    assert block["totals"]["availability_percent"] == pytest.approx(100 * (REQUESTS - 4) / REQUESTS)
    assert set(block["latency_ms"]) == {"reads", "orders"}
    assert block["latency_ms"]["reads"].keys() >= {"p50", "p95", "p99"}
    assert (block["peak_ready_web"], block["peak_desired_web"]) == (9, 9)
    assert block["load_window_s"] == [T0, T0 + WINDOW_S]
    first = block["scale_events"][0]
    assert (first["t_s"] - T0, first["from"], first["to"]) == (pytest.approx(41.2), 2, 6)
    assert sum(first["parts"].values()) == first["total_s"]


def test_the_page_shows_the_blocks_figures(html: str) -> None:
    page = Page(html)
    said = " ".join(page.text.split())
    for words in ("HELD", "7,600", "99.947 %", "110 ms", "2 → 9", "12.0 s", "web-old0"):
        assert words in said or words in html, words
    assert "All 6 checks held" in said


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    run = build_hostile_run(tmp_path)
    html = write_report(run).read_text(encoding="utf-8")
    tame = write_report(build_run(tmp_path / "tame")).read_text(encoding="utf-8")
    hostile_page, tame_page = Page(html), Page(tame)
    kinds = {tag for tag, _ in hostile_page.elements}
    assert kinds <= {tag for tag, _ in tame_page.elements} | {"small"}
    assert [tag for tag, _ in hostile_page.elements].count("script") == 3
    assert TEXT in hostile_page.text
    block = hostile_page.block()
    assert block == json.loads(collect(RunReader(run)).model_dump_json(by_alias=True))
    assert block["scenario"].endswith(TEXT)
    assert TEXT in block["faults"][0]["name"]
    assert TEXT in block["totals"]["failures"][0]["what"]


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "\u2028\u2029", "&lt;", "]]>"])
def test_json_in_a_script_cannot_end_it(text: str) -> None:
    made = str(script_json({text: [text]}))
    assert json.loads(made) == {text: [text]}
    assert not set(made) & set("<>&\u2028\u2029")


def test_json_has_no_form_for_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        script_json({"x": float("nan")})
