"""The models' values as rows of a table, with the unit and the reason that each field carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel

from tidegate.models import Policy, Slo

_SUFFIXES = {
    "_m": "m",
    "_mi": "Mi",
    "_s": "s",
    "_ms": "ms",
    "_percent": "%",
}
_TITLES = {
    "web": "Web pods",
    "web.hpa": "Autoscaler",
    "web.hpa.scale_up": "Scaling up",
    "web.hpa.scale_down": "Scaling down",
    "web.drain": "Drain",
    "worker": "Worker pods",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that was in force."""

    name: str
    value: str
    reason: str
    changed_from: str | None
    """The default it differs from; None where it is the default, or has none."""


@dataclass(frozen=True, slots=True)
class Section:
    """The values of one part of a model."""

    path: str
    title: str
    settings: tuple[Setting, ...]


def policy_sections(policy: Policy) -> tuple[Section, ...]:
    """Return the policy, a section for each of its parts."""
    return tuple(_sections(policy, Policy(), ""))


def slo_settings(slo: Slo) -> tuple[Setting, ...]:
    """Return the objectives; each latency objective is one row."""
    rows: list[Setting] = []
    for name, field in Slo.model_fields.items():
        if name == "latency":
            for one in slo.latency:
                title, routes = f"{one.route_group} p{one.percentile:g}", ", ".join(one.routes)
                rows += [Setting(title, f"{one.threshold_ms:g} ms", routes, None)]
        else:
            rows.append(Setting(name, _text(name, getattr(slo, name)), field.description or "", None))
    return tuple(rows)


def _sections(model: BaseModel, default: BaseModel, path: str) -> Iterator[Section]:
    own: list[Setting] = []
    below: list[Section] = []
    for name, field in type(model).model_fields.items():
        value, usual = getattr(model, name), getattr(default, name)
        if isinstance(value, BaseModel):
            below.extend(_sections(value, usual, f"{path}.{name}" if path else name))
            continue
        said, usually = _text(name, value), _text(name, usual)
        own.append(Setting(name, said, field.description or "", usually if said != usually else None))
    if own:
        yield Section(path, _TITLES.get(path, path), tuple(own))
    yield from below


def _unit(name: str) -> str:
    endings = sorted(_SUFFIXES, key=len, reverse=True)
    return next((_SUFFIXES[ending] for ending in endings if name.endswith(ending)), "")


def _text(name: str, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        return "; ".join(_rule(one) for one in cast("tuple[object, ...]", value)) or "none"
    shown = (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )
    unit = _unit(name) if isinstance(value, int | float) else ""
    return f"{shown} {unit}" if unit else shown


def _rule(rule: Any) -> str:
    unit = " %" if rule.type == "Percent" else " pods"
    return f"{rule.value:,}{unit} in {rule.period_s} s"
