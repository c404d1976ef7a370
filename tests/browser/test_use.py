"""The page in use: what is clicked, dragged and typed does what it should."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

Open = Callable[..., Page]
PHONE = (390, 844)
CHARTS = ["load", "latency", "replicas", "cpu", "depth", "age", "generator"]


def plot(page: Page, name: str) -> Any:
    return page.locator(f'[data-chart="{name}"]')


def drag(page: Page, name: str, from_share: float, to_share: float) -> None:
    plot(page, name).scroll_into_view_if_needed()
    box = plot(page, name).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * from_share, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * to_share, y, steps=6)
    page.mouse.up()


def shown(page: Page) -> str:
    settled(page)
    return page.locator("#shown").inner_text()


def settled(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def hover(page: Page, name: str, share: float) -> None:
    plot(page, name).scroll_into_view_if_needed()
    box = plot(page, name).bounding_box()
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    settled(page)


def test_every_chart_is_drawn(open_report: Open) -> None:
    page = open_report()
    assert page.locator(".plot").evaluate_all("all => all.map((one) => one.dataset.chart)") == CHARTS
    for name in CHARTS:
        lengths = (
            plot(page, name).locator(".series").evaluate_all("all => all.map((p) => p.getTotalLength())")
        )
        assert max(lengths) > 100, name
    assert page.locator(".lanes rect.s-ready").count() >= 14


def test_the_crosshair_is_in_every_chart(open_report: Open) -> None:
    page = open_report()
    hover(page, "latency", 0.5)
    assert page.locator(".plot .cross").count() == len(CHARTS)
    places = page.locator(".plot .cross").evaluate_all(
        "all => [...new Set(all.map((c) => c.getAttribute('x1')))]"
    )
    assert len(places) == 1
    assert page.locator(".lanes .cross").count() == 1
    tip = page.locator("#tip").inner_text()
    assert "p50" in tip
    assert "UTC" in tip
    page.mouse.move(5, 5)
    settled(page)
    assert page.locator("#tip").is_hidden()
    assert page.locator(".cross").count() == 0


def test_the_tooltip_tells_the_figures_of_the_block(open_report: Open) -> None:
    page = open_report("tame")
    hover(page, "replicas", 0.6)
    assert page.locator("#tip .row b").all_inner_texts() == ["9", "9"]


def test_the_legend_switches_a_series(open_report: Open) -> None:
    page = open_report()
    button = page.locator('#chart-latency [data-series="p99"]')
    button.click()
    settled(page)
    assert button.get_attribute("aria-pressed") == "false"
    assert plot(page, "latency").locator("path.c-p99").count() == 0
    assert plot(page, "latency").locator("path.c-p50").count() == 1
    button.click()
    settled(page)
    assert button.get_attribute("aria-pressed") == "true"
    assert plot(page, "latency").locator("path.c-p99").count() == 1


def test_dragging_zooms_all_charts_and_reset_undoes_it(open_report: Open) -> None:
    page = open_report()
    assert shown(page) == "The whole run"
    assert page.locator("#reset").is_disabled()
    whole = plot(page, "cpu").inner_html()
    drag(page, "load", 0.3, 0.6)
    assert " to " in shown(page)
    assert plot(page, "cpu").inner_html() != whole
    page.locator("#reset").click()
    assert shown(page) == "The whole run"
    drag(page, "cpu", 0.6, 0.3)
    assert " to " in shown(page)
    box = plot(page, "cpu").bounding_box()
    page.mouse.dblclick(box["x"] + 300, box["y"] + 50)
    assert shown(page) == "The whole run"


def test_the_zoomed_span_is_what_was_dragged(open_report: Open) -> None:
    page = open_report("tame")
    # Margins of the plot are 62 and 20 px.
    domain = page.evaluate("JSON.parse(document.getElementById('report-data').textContent).domain_x")
    width = plot(page, "load").bounding_box()["width"]
    second = (width - 82) / (domain[1] - domain[0])
    from_px, to_px = (62 + (x - domain[0]) * second for x in (30, 90))
    drag(page, "load", from_px / width, to_px / width)
    first, last = shown(page).split(" to ")
    assert [round(float(one.split(":")[0]) * 60 + float(one.split(":")[1])) for one in (first, last)] == [
        30,
        90,
    ]


def test_lanes_zoom_too(open_report: Open) -> None:
    page = open_report()
    lanes = page.locator(".lanes")
    lanes.scroll_into_view_if_needed()
    box = lanes.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 400, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 100, steps=4)
    page.mouse.up()
    assert " to " in shown(page)


def test_the_keyboard_does_the_same(open_report: Open) -> None:
    page = open_report()
    plot(page, "load").focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    first = page.locator("#said").inner_text()
    assert "offered" in first
    page.keyboard.press("Shift+ArrowRight")
    settled(page)
    assert page.locator("#said").inner_text() != first
    page.keyboard.press("+")
    assert " to " in shown(page)
    page.keyboard.press("0")
    assert shown(page) == "The whole run"
    page.keyboard.press("Escape")
    settled(page)
    assert page.locator(".cross").count() == 0
    page.locator(".lanes").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "created" in page.locator("#said").inner_text()


def test_the_route_group_is_chosen(open_report: Open) -> None:
    page = open_report()
    before = plot(page, "latency").inner_html()
    chosen = page.locator('.groups [aria-pressed="true"]').inner_text()
    other = next(one for one in page.locator(".groups button").all_inner_texts() if one != chosen)
    page.locator(f'.groups [data-group="{other}"]').click()
    settled(page)
    assert page.locator('.groups [aria-pressed="true"]').all_inner_texts() == [other]
    assert plot(page, "latency").inner_html() != before


def test_an_event_opens_with_its_pods(open_report: Open) -> None:
    page = open_report()
    event = page.locator("details.event").nth(2)
    assert not event.locator("table").is_visible()
    event.locator("summary").click()
    assert event.locator("table").is_visible()
    block = page.evaluate("JSON.parse(document.getElementById('report-data').textContent)")
    assert event.locator("tbody tr").count() == len(block["scale_events"][2]["pods"])


def test_all_events_open_and_close(open_report: Open) -> None:
    page = open_report()
    page.locator("#expand").click()
    assert page.locator("details.event[open]").count() == page.locator("details.event").count()
    page.locator("#expand").click()
    assert page.locator("details.event[open]").count() == 0


def test_a_flag_leads_to_its_event(open_report: Open) -> None:
    page = open_report()
    page.locator(".flag.up").first.click()
    assert page.locator("#event-0").get_attribute("open") is not None
    assert page.locator("#event-0").evaluate("(one) => one.getBoundingClientRect().top < innerHeight")


def test_a_line_of_the_story_leads_to_its_moment(open_report: Open) -> None:
    page = open_report()
    page.locator(".m-breach button").first.click()
    assert " to " in shown(page)
    assert page.locator(".plot .cross").count() == len(CHARTS)
    assert page.locator("#timeline").evaluate("(one) => one.getBoundingClientRect().top < 200")


def test_the_window_of_the_overview_moves(open_report: Open) -> None:
    page = open_report()
    page.locator("#timeline").scroll_into_view_if_needed()
    drag(page, "load", 0.2, 0.3)
    before = shown(page)
    page.locator(".overview").scroll_into_view_if_needed()
    box = page.locator(".overview").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 15)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 15, steps=4)
    page.mouse.up()
    assert shown(page) not in (before, "The whole run")


def test_the_theme_is_switched_and_remembered(open_report: Open) -> None:
    page = open_report(theme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.locator("#theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.locator("#theme").click()
    assert page.evaluate(ground) == light


def test_touch(open_report: Open) -> None:
    page = open_report("eventful", PHONE)
    plot(page, "load").scroll_into_view_if_needed()
    plot(page, "load").tap(position={"x": 150, "y": 60})
    settled(page)
    assert "offered" in page.locator("#tip").inner_text()
    page.locator('#chart-load [data-series="served"]').tap()
    settled(page)
    assert plot(page, "load").locator("path.series.c-served").count() == 0


def test_charts_follow_the_width_of_the_window(open_report: Open) -> None:
    page = open_report()
    page.set_viewport_size({"width": 700, "height": 900})
    settled(page)
    settled(page)
    box = plot(page, "load").bounding_box()
    assert plot(page, "load").get_attribute("viewBox").split()[2] == str(round(box["width"]))


def test_without_scripts_the_page_still_tells_all_figures(open_report: Open) -> None:
    page = open_report("eventful", scripts=False)
    assert page.get_by_role("heading", name="NOT HELD").is_visible()
    told = page.locator("noscript .card").first
    assert told.is_visible()
    assert "The charts need JavaScript" in told.inner_text()
    assert page.locator("#slices summary").is_visible()
    assert not page.locator("#panel").is_visible()
    page.locator("#slices summary").click()
    assert page.locator("#slices tbody tr").count() == 12
    page.locator("details.event summary").first.click()
    assert page.locator("details.event table").first.is_visible()


def test_hostile_names_do_nothing(open_report: Open) -> None:
    page = open_report("hostile")
    page.locator("#expand").click()
    hover(page, "cpu", 0.5)
    page.locator(".lanes").focus()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 3


def test_an_injected_script_is_refused_by_the_policy(open_report: Open, reports: dict[str, Any]) -> None:
    """Were escaping ever to fail, the page's own policy would still hold: this page is spoilt on purpose."""
    spoilt = reports["tame"].with_name("spoilt.html")
    html = reports["tame"].read_text(encoding="utf-8")
    spoilt.write_text(html.replace("<main>", "<main><script>window.pwned = 1</script>", 1), encoding="utf-8")
    page = open_report("tame")
    context = page.context
    other = context.new_page()
    other.goto(spoilt.as_uri())
    assert other.evaluate("window.pwned") is None
    assert other.locator(".plot").count() == len(CHARTS)


@pytest.mark.parametrize("name", ["empty", "tame"])
def test_a_chart_without_data_says_so(open_report: Open, name: str) -> None:
    page = open_report(name)
    said = page.locator("#charts .absent").all_inner_texts()
    assert len(said) == (5 if name == "empty" else 0)
    if said:
        assert said[0] == "No request was recorded."
