"""How the page looks: it fits, can be read in both themes, and is kept as pictures to be looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

Open = Callable[..., Page]
DESKTOP, PHONE, NARROW = (1280, 900), (390, 844), (360, 740)
THEMES = ("light", "dark")

CONTRAST = """() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const rgba = (text) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3]));
  const light = (rgb) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
    return (x + 0.05) / (y + 0.05);
  };
  // All colours that may lie behind an element: a gradient counts with each of its ends.
  const grounds = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage.includes("gradient")) {
        layers.push((style.backgroundImage.match(/(?:rgba?|color)\\([^()]*\\)/g) || []).map(rgba));
        if (layers.at(-1).every((c) => c[3] === 1)) break;
      }
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0) layers.push([colour]);
      if (colour[3] === 1) break;
    }
    let found = [[255, 255, 255]];
    for (const layer of layers.reverse()) found = layer.flatMap((c) => found.map((under) => over(c, under)));
    return found;
  };
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || ["SCRIPT", "STYLE", "TITLE", "NOSCRIPT", "title"].includes(element.tagName)) continue;
    if (!element.checkVisibility() || element.closest(".hidden-text, .skip, button:disabled")) continue;
    const style = getComputedStyle(element);
    const inSvg = element instanceof SVGElement;
    const colour = rgba(inSvg ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ground = inSvg ? element.ownerSVGElement.parentElement : element;
    const worst = Math.min(...grounds(ground).map((under) => ratio(over(colour, under), under)));
    seen += 1;
    const name = `${element.tagName} ${element.getAttribute("class")}`;
    if (worst < needed) poor.push(`${worst.toFixed(2)} < ${needed}: ${name} "${text.slice(0, 40)}"`);
  }
  return { seen, poor: [...new Set(poor)] };
}"""

OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const out = [...document.querySelectorAll("body *")].filter((one) => {
    if (!one.checkVisibility() || one.closest(".scroll, .hidden-text, svg, pre, .skip")) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.right > width + 0.5 || box.left < -0.5);
  });
  const told = out.slice(0, 8).map((one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 9)}`);
  return { page: document.documentElement.scrollWidth - width, out: told };
}"""


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["tame", "eventful", "empty"])
def test_text_can_be_read(open_report: Open, name: str, theme: str) -> None:
    page = open_report(name, theme=theme)
    unfold(page)
    found: dict[str, Any] = page.evaluate(CONTRAST)
    assert found["seen"] > 150
    assert found["poor"] == []


@pytest.mark.parametrize("size", [DESKTOP, PHONE, NARROW, (768, 1024)])
@pytest.mark.parametrize("name", ["tame", "eventful", "hostile", "empty"])
def test_nothing_sticks_out(open_report: Open, name: str, size: tuple[int, int]) -> None:
    page = open_report(name, size)
    unfold(page)
    assert page.evaluate(OVERFLOW) == {"page": 0, "out": []}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_pictures_to_look_at(open_report: Open, tmp_path: Path, size: tuple[int, int], theme: str) -> None:
    page = open_report("eventful", size, theme)
    picture = tmp_path / f"{size[0]}-{theme}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 100_000


def test_themes_differ(open_report: Open) -> None:
    grounds = [
        open_report("tame", theme=theme).evaluate("getComputedStyle(document.body).backgroundColor")
        for theme in THEMES
    ]
    assert grounds[0] != grounds[1]


def test_in_print_it_is_light_and_unfolded(open_report: Open) -> None:
    page = open_report("eventful", theme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator(".tools").is_visible()
    assert page.locator("details.event[open]").count() == page.locator("details.event").count() > 0
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.event[open]").count() == 0


def test_it_makes_a_pdf(open_report: Open) -> None:
    made = open_report("eventful").pdf(format="A4", print_background=True)
    assert made.startswith(b"%PDF")
