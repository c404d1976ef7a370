"""The models' values as rows of a table, with the unit and the reason that each field carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tidegate.models import Policy, Slo
from tidegate.models.base import Unit

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
                rows.append(
                    Setting(
                        name=f"{one.route_group} p{one.percentile:g}",
                        value=f"{one.threshold_ms:g} ms",
                        reason=", ".join(one.routes),
                        changed_from=None,
                    )
                )
        else:
            rows.append(Setting(name, _text(name, field, getattr(slo, name)), field.description or "", None))
    return tuple(rows)


def _sections(model: BaseModel, default: BaseModel, path: str) -> Iterator[Section]:
    own: list[Setting] = []
    below: list[Section] = []
    for name, field in type(model).model_fields.items():
        value, usual = getattr(model, name), getattr(default, name)
        if isinstance(value, BaseModel):
            below.extend(_sections(value, usual, f"{path}.{name}" if path else name))
            continue
        said, usually = _text(name, field, value), _text(name, field, usual)
        own.append(Setting(name, said, field.description or "", usually if said != usually else None))
    if own:
        yield Section(path, _TITLES.get(path, path), tuple(own))
    yield from below


def _unit(name: str, field: FieldInfo) -> str:
    if not any(isinstance(one, Unit) for one in field.metadata):
        # An optional number keeps its unit inside the union, out of the field's own metadata.
        if field.annotation in (str, bool):
            return ""
    endings = sorted(_SUFFIXES, key=len, reverse=True)
    return next((_SUFFIXES[ending] for ending in endings if name.endswith(ending)), "")


def _text(name: str, field: FieldInfo, value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, tuple):
        return "; ".join(_rule(one) for one in cast("tuple[object, ...]", value)) or "none"
    shown = (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )
    unit = _unit(name, field)
    return f"{shown} {unit}" if unit else shown


def _rule(rule: Any) -> str:
    unit = " %" if rule.type == "Percent" else " pods"
    return f"{rule.value:,}{unit} in {rule.period_s} s"
