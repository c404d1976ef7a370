"""The models' values as rows of a table, with the unit and the reason that each field carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel

from tidegate.models import Policy, Slo
from tidegate.models.text import value_text

_TITLES = {
    "web": "Web pods",
    "web.hpa": "Autoscaler",
    "web.hpa.scale_up": "Scaling up",
    "web.hpa.scale_down": "Scaling down",
    "web.drain": "Drain",
    "web.vpa": "Sizing of web pods",
    "worker": "Worker pods",
    "worker.queue": "Scaling by the queue",
    "worker.vpa": "Sizing of worker pods",
    "": "Nodes",
    "headroom": "Headroom",
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
            rows.append(Setting(name, value_text(name, getattr(slo, name)), field.description or "", None))
    return tuple(rows)


def _sections(model: BaseModel, default: BaseModel, path: str) -> Iterator[Section]:
    own: list[Setting] = []
    below: list[Section] = []
    for name, field in type(model).model_fields.items():
        value, usual = getattr(model, name), getattr(default, name)
        if isinstance(value, BaseModel):
            below.extend(_sections(value, usual, f"{path}.{name}" if path else name))
            continue
        said, usually = value_text(name, value), value_text(name, usual)
        own.append(Setting(name, said, field.description or "", usually if said != usually else None))
    if own:
        yield Section(path, _TITLES.get(path, path), tuple(own))
    yield from below
