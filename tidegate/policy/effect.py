"""What a field of the policy becomes, found by rendering the policy with another value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from pydantic import ValidationError

from tidegate.models import Policy
from tidegate.policy.fields import Field


def chart_values_of(policy: Policy, field: Field) -> dict[str, Any]:
    """The values of the service's chart that follow from `field`: dotted name to value.

    They are not listed anywhere but found: the policy is rendered twice, once with another value in that
    field. Empty where no other value is allowed beside the rest of the policy.
    """
    now = dict(_flat(policy.chart_values(), ""))
    for other in _others(field):
        changed = _with(policy, field.path, other)
        if changed is not None:
            then = dict(_flat(changed.chart_values(), ""))
            return {key: now.get(key) for key in (*now, *then) if now.get(key) != then.get(key)}
    return {}


def _flat(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(cast("dict[str, Any]", value), f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _others(field: Field) -> Iterator[object]:
    """Values beside the one in force, those that disturb the rest of the policy least first."""
    if field.name == "node_groups":
        yield [{"name": "other", "dedicated": True}]
    elif isinstance(field.value, tuple):
        yield [{"type": "Pods", "value": 1, "period_s": 1}]
        yield [{"type": "Pods", "value": 2, "period_s": 2}]
    elif isinstance(field.value, bool):  # before the numbers, of which Python counts it as one
        yield not field.value
    elif isinstance(field.value, str):
        yield from field.choices
    elif isinstance(field.value, int):
        yield from (field.value + 1, field.value - 1)
    else:
        yield from (0.5, 0.25, 1, 1000, 64_000)  # a ratio, or a number that is not set


def _with(policy: Policy, path: str, value: object) -> Policy | None:
    """`policy` with another value at `path`; None where that is the value already, or not allowed."""
    document = policy.model_dump()
    *above, last = path.split(".")
    part: dict[str, Any] = document
    for key in above:
        part = part[key]
    part[last] = value
    try:
        changed = Policy.model_validate(document)
    except ValidationError:
        return None
    return None if changed == policy else changed
