"""What the VerticalPodAutoscalers recommended, beside what the pods request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from tidegate.run.objects import dig, items, text
from tidegate.run.quantity import quantity
from tidegate.run.reader import RunReader

KIND = "VerticalPodAutoscaler"
Size = Literal["cpu", "memory"]
_SIZES: tuple[Size, ...] = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The last word on one resource of one container: cores for cpu, bytes for memory."""

    workload: str
    """Name of the Deployment."""
    container: str
    resource: Size
    mode: str
    """What is done with it; `Off` is nothing."""
    target: float
    lower: float | None
    """Below this a request is held to be too small; it widens while there is little history."""
    upper: float | None
    """Above this a request is held to be wasteful."""
    uncapped: float | None
    """The target without the policy's bounds."""
    request: float | None
    """What the Deployment's container requests."""
    t_s: float
    """When the recorder received it, unix seconds."""


def recommendations(run: RunReader) -> list[Recommendation]:
    """Return the newest recommendation of every container, by workload and container.

    Empty where no VerticalPodAutoscaler was recorded or none of them had an opinion yet.
    """
    newest: dict[str, tuple[float, dict[str, Any]]] = {}
    requests: dict[tuple[str, str, str], float] = {}
    for record in run.cluster():
        name = text(record.object, "metadata", "name")
        if record.kind == "Deployment" and record.type != "DELETED":
            for container in items(record.object, "spec", "containers"):
                for size in _SIZES:
                    value = _quantity(container, "resources", "requests", size)
                    if value is not None:
                        requests[name, text(container, "name"), size] = value
        elif record.kind == KIND and items(record.object, *_RECOMMENDED):
            # One that is gone has said what it had to say.
            newest[name] = (record.received_s, record.object)
    found: list[Recommendation] = []
    for t_s, vertical in newest.values():
        workload = text(vertical, "spec", "targetRef", "name")
        mode = text(vertical, "spec", "updatePolicy", "updateMode") or "Off"
        for said in items(vertical, *_RECOMMENDED):
            container = text(said, "containerName")
            for size in _SIZES:
                target = _quantity(said, "target", size)
                if target is not None:
                    found.append(
                        Recommendation(
                            workload,
                            container,
                            size,
                            mode,
                            target,
                            _quantity(said, "lowerBound", size),
                            _quantity(said, "upperBound", size),
                            _quantity(said, "uncappedTarget", size),
                            requests.get((workload, container, size)),
                            t_s,
                        )
                    )
    return sorted(found, key=lambda one: (one.workload, one.container, one.resource))


_RECOMMENDED = ("status", "recommendation", "containerRecommendations")


def _quantity(value: object, *path: str) -> float | None:
    """Return the quantity at `path`; None when there is none, or none that can be read."""
    found = cast("object", dig(value, *path))
    try:
        return quantity(found) if isinstance(found, str) else None
    except ValueError:
        return None
