"""A model's values in words, with the unit that the field's name carries."""

from __future__ import annotations

from typing import Any, cast

from tidegate.models.node_group import NodeGroup

_SUFFIXES = {"_percent": "%", "_mi": "Mi", "_ms": "ms", "_m": "m", "_s": "s"}


def unit_of(name: str) -> str:
    """The unit that the name of a field ends with: "s" for `period_s`; empty where it has none."""
    return next((unit for ending, unit in _SUFFIXES.items() if name.endswith(ending)), "")


def value_text(name: str, value: object) -> str:
    """The value of the field `name`, as "15 s", "not set", or "4 pods in 15 s; 100 % in 15 s"."""
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        return "; ".join(_item(one) for one in cast("tuple[object, ...]", value)) or "none"
    shown = (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )
    unit = unit_of(name) if isinstance(value, int | float) else ""
    return f"{shown} {unit}" if unit else shown


def _item(one: Any) -> str:
    return _group(one) if isinstance(one, NodeGroup) else _rule(one)


def _group(group: NodeGroup) -> str:
    size = f"{group.cpu_m:,} m, {group.memory_mi:,} Mi"
    owned = ", dedicated" if group.dedicated else ""
    return f"{group.name}: {group.min_nodes} to {group.max_nodes} nodes of {size}{owned}"


def _rule(rule: Any) -> str:
    unit = " %" if rule.type == "Percent" else " pods"
    return f"{rule.value:,}{unit} in {rule.period_s} s"
