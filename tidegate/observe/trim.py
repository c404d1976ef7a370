"""Keep of each object what a Run is read for. A pod is 8 kB as the API gives it, and 2 kB so."""

from __future__ import annotations

from typing import Any, cast

_METADATA = (
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "labels",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
_OWNER = ("kind", "name", "uid")
_CONTAINER = ("name", "image", "resources")
_SPEC: dict[str, tuple[str, ...]] = {
    "Pod": ("nodeName", "terminationGracePeriodSeconds"),
    "Node": ("taints", "unschedulable"),
    "Deployment": ("replicas", "strategy", "minReadySeconds", "paused"),
    "ReplicaSet": ("replicas",),
    "HorizontalPodAutoscaler": ("scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"),
    "VerticalPodAutoscaler": ("targetRef", "updatePolicy", "resourcePolicy"),
}
_EVENT = (
    "involvedObject",
    "reason",
    "message",
    "type",
    "count",
    "firstTimestamp",
    "lastTimestamp",
    "eventTime",
    "series",
    "reportingComponent",
    "source",
)
_NODE_STATUS = ("conditions", "capacity", "allocatable")

Json = dict[str, Any]


def _pick(value: Json, names: tuple[str, ...]) -> Json:
    return {name: value[name] for name in names if value.get(name) is not None}


def _part(value: Json, name: str) -> Json:
    part = value.get(name)
    return cast("Json", part) if isinstance(part, dict) else {}


def _list(value: Json, name: str) -> list[Json]:
    part = value.get(name)
    return cast("list[Json]", part) if isinstance(part, list) else []


def trim(kind: str, whole: Json) -> Json:
    """Return the parts of an object of `kind` that are recorded, under the API's own names."""
    metadata = _pick(_part(whole, "metadata"), _METADATA)
    owners = [_pick(owner, _OWNER) for owner in _list(_part(whole, "metadata"), "ownerReferences")]
    if owners:
        metadata["ownerReferences"] = owners
    if kind == "Event":
        return {"metadata": metadata, **_pick(whole, _EVENT)}
    spec = _part(whole, "spec")
    kept = _pick(spec, _SPEC.get(kind, ()))
    if kind == "Pod":
        kept["containers"] = [_pick(container, _CONTAINER) for container in _list(spec, "containers")]
    if kind == "Deployment":
        pod = _part(_part(spec, "template"), "spec")
        kept["containers"] = [_pick(container, _CONTAINER) for container in _list(pod, "containers")]
    status = _part(whole, "status")
    # A node lists every image it holds, some hundred lines of which nobody reads one.
    return {
        "metadata": metadata,
        "spec": kept,
        "status": _pick(status, _NODE_STATUS) if kind == "Node" else status,
    }
