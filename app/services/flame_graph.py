"""A flame graph as one SVG, without a script: hover to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from app.services.profiler import Stack

_WIDTH, _ROW, _LETTER = 1200.0, 18, 6.6
_LEAST = 0.4
"""Pixels below which a box is left out."""


@dataclass
class _Node:
    count: int = 0
    children: dict[str, _Node] = field(default_factory=dict[str, "_Node"])


def flame_graph(samples: Mapping[Stack, int]) -> str:
    """Draw the samples: as wide as seen often, outermost functions on top, equal stacks joined."""
    root = _Node()
    for stack, count in samples.items():
        node = root
        node.count += count
        for name in stack:
            node = node.children.setdefault(name, _Node())
            node.count += count
    boxes: list[str] = []
    depth = _draw(root, boxes, left=0.0, level=0, total=max(1, root.count))
    height = (depth + 1) * _ROW
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height}" '
        f'font-family="monospace" font-size="11">{"".join(boxes)}</svg>'
    )


def _draw(node: _Node, boxes: list[str], *, left: float, level: int, total: int) -> int:
    """Draw what `node` called, from `left`; the deepest level reached."""
    deepest = level
    for name, child in sorted(node.children.items()):
        width = child.count / total * _WIDTH
        if width >= _LEAST:
            boxes.append(_box(name, child.count / total, left, level * _ROW, width))
            deepest = max(deepest, _draw(child, boxes, left=left, level=level + 1, total=total))
        left += width
    return deepest


def _box(name: str, share: float, left: float, top: int, width: float) -> str:
    # The colour follows from the name, so a function looks the same in every picture.
    hue = sum(map(ord, name)) * 7 % 50 + 10
    shown = name[: int(width / _LETTER)] if width > 4 * _LETTER else ""
    return (
        f"<g><title>{escape(name)} {share:.1%}</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}" fill="hsl({hue},75%,65%)"/>'
        f'<text x="{left + 2:.1f}" y="{top + 13}">{escape(shown)}</text></g>'
    )
