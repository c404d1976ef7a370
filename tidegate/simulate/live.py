"""A live autoscaler as a history of one sync: what its controller would see now."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from tidegate.errors import TidegateError
from tidegate.proc import run
from tidegate.run.objects import condition, dig, integer, items, text
from tidegate.run.quantity import duration_s, unix_s
from tidegate.simulate.hpa.quantity import parse_quantity
from tidegate.simulate.hpa.release import LATEST_PROVEN, RELEASES

Kubectl = Callable[[Sequence[str]], dict[str, Any]]
"""Runs kubectl with these words and returns the JSON it printed.

Raises:
    TidegateError: it failed.
"""

_TIMEOUT_S = 20.0


def kubectl(words: Sequence[str]) -> dict[str, Any]:
    """Run the kubectl on PATH, with the environment's own kubeconfig.

    Raises:
        TidegateError: it is absent, failed, took longer than 20 s, or printed no JSON object.
    """
    printed = run(["kubectl", *words], timeout_s=_TIMEOUT_S, env=None).stdout
    try:
        found: Any = json.loads(printed)
    except ValueError as error:
        raise TidegateError("kubectl printed no JSON", where=" ".join(words)) from error
    if not isinstance(found, dict):
        raise TidegateError("kubectl printed no object", where=" ".join(words))
    return found  # pyright: ignore[reportUnknownVariableType] - keys of JSON are text


def live_history(namespace: str, name: str, now_s: float, ask: Kubectl = kubectl) -> dict[str, Any]:
    """Return the history with one sync that the cluster's present state makes.

    What the controller remembers of earlier syncs is in no API: recommendations and scale events begin here.
    Its flags cannot be asked either and are taken to be the defaults.

    Args:
        namespace: the autoscaler's namespace.
        name: the autoscaler.
        now_s: the time of the sync, unix seconds.
        ask: how to ask the cluster.

    Raises:
        TidegateError: the autoscaler or its target cannot be read. Metrics that cannot be read are absent.
    """
    hpa = ask(["get", "hpa.v2.autoscaling", name, "-n", namespace, "-o", "json"])
    scale = ask(_scale_words(hpa, namespace))
    selector = text(scale, "status", "selector")
    chosen = ["-l", selector] if selector else []
    pods = items(ask(["get", "pods", "-n", namespace, *chosen, "-o", "json"]), "items")
    measured = _pod_metrics(namespace, selector, ask)
    sync: dict[str, Any] = {
        "t_s": now_s,
        "spec_replicas": integer(scale, "spec", "replicas") or 0,
        "status_replicas": integer(scale, "status", "replicas") or 0,
        "pods": [_pod(pod, measured.get(text(pod, "metadata", "name"))) for pod in pods],
        "pod_metrics": {},
        "object_metrics": {},
        "external_metrics": {},
    }
    for metric in items(hpa, "spec", "metrics"):
        _add_custom(sync, metric, namespace, selector, ask)
    conditions = [
        {key: one.get(key, "") for key in ("type", "status", "reason")}
        for one in items(hpa, "status", "conditions")
    ]
    return {
        "hpa": {"spec": hpa.get("spec"), "status": {"conditions": conditions}},
        "controller": {"version": _version(ask)},
        "syncs": [sync],
    }


def _scale_words(hpa: dict[str, Any], namespace: str) -> list[str]:
    kind, name = text(hpa, "spec", "scaleTargetRef", "kind"), text(hpa, "spec", "scaleTargetRef", "name")
    group, _, version = text(hpa, "spec", "scaleTargetRef", "apiVersion").rpartition("/")
    full = f"{kind}.{version}.{group}" if group else kind
    return ["get", full, name, "-n", namespace, "--subresource=scale", "-o", "json"]


def _version(ask: Kubectl) -> str:
    """Return the cluster's minor version, or the proven one where it is not known to us."""
    found = text(ask(["version", "-o", "json"]), "serverVersion", "gitVersion")
    minor = ".".join(found.removeprefix("v").split(".")[:2])
    return minor if minor in RELEASES else LATEST_PROVEN


def _answered(ask: Kubectl, path: str) -> list[dict[str, Any]]:
    """Return the items under an API path; none where a metrics API is absent or failing, as for the HPA."""
    try:
        return items(ask(["get", "--raw", path]), "items")
    except TidegateError:
        return []


def _pod_metrics(namespace: str, selector: str, ask: Kubectl) -> dict[str, dict[str, Any]]:
    path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods?labelSelector={quote(selector)}"
    found = dict[str, dict[str, Any]]()
    for one in _answered(ask, path):
        found[text(one, "metadata", "name")] = {
            "t_s": unix_s(text(one, "timestamp")),
            "window_s": duration_s(text(one, "window")),
            "containers": [
                {"name": text(part, "name"), "usage": dig(part, "usage") or {}}
                for part in items(one, "containers")
            ],
        }
    return found


def _pod(pod: dict[str, Any], metrics: dict[str, Any] | None) -> dict[str, Any]:
    ready = condition(pod, "Ready")
    moved, started = text(ready, "lastTransitionTime"), text(pod, "status", "startTime")
    restartable = [
        one for one in items(pod, "spec", "initContainers") if one.get("restartPolicy") == "Always"
    ]
    return {
        "name": text(pod, "metadata", "name"),
        "phase": text(pod, "status", "phase") or "Unknown",
        "ready": None
        if ready is None
        else {"True": True, "False": False}.get(text(ready, "status"), "Unknown"),
        "ready_transition_s": unix_s(moved) if moved else None,
        "start_s": unix_s(started) if started else None,
        "deleting": bool(text(pod, "metadata", "deletionTimestamp")),
        "containers": [
            {"name": text(part, "name"), "requests": dig(part, "resources", "requests") or {}}
            for part in [*items(pod, "spec", "containers"), *restartable]
        ],
        "requests": dig(pod, "spec", "resources", "requests") or {},
        "init_requests": init_requests(items(pod, "spec", "initContainers")),
        "metrics": metrics,
    }


def init_requests(containers: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Return the most that ordinary init containers request at once, in thousandths, as quantities.

    They run one after the other, each beside the restartable ones that were started before it.
    """
    beside, most = dict[str, int](), dict[str, int]()
    for one in containers:
        asked: dict[str, str] = dig(one, "resources", "requests") or {}
        for name, amount in asked.items():
            milli = parse_quantity(amount).milli()
            if one.get("restartPolicy") == "Always":
                beside[name] = beside.get(name, 0) + milli
            else:
                most[name] = max(most.get(name, 0), milli + beside.get(name, 0))
    return {name: f"{milli}m" for name, milli in most.items()}


def _add_custom(
    sync: dict[str, Any], metric: dict[str, Any], namespace: str, selector: str, ask: Kubectl
) -> None:
    kind = text(metric, "type")
    source = metric.get({"Pods": "pods", "Object": "object", "External": "external"}.get(kind, ""))
    if source is None:
        return
    name = text(source, "metric", "name")
    chosen: dict[str, str] = dig(source, "metric", "selector", "matchLabels") or {}
    labels = ",".join(f"{key}={value}" for key, value in chosen.items())
    custom = f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{namespace}"
    limits = f"metricLabelSelector={quote(labels)}"
    if kind == "Pods":
        found = _answered(ask, f"{custom}/pods/*/{quote(name)}?labelSelector={quote(selector)}&{limits}")
        if found:
            sync["pod_metrics"][name] = {
                text(one, "describedObject", "name"): _plain(text(one, "value")) for one in found
            }
    elif kind == "Object":
        owner = text(source, "describedObject", "kind").lower() + "s"
        found = _answered(
            ask, f"{custom}/{owner}/{quote(text(source, 'describedObject', 'name'))}/{quote(name)}?{limits}"
        )
        if found:
            sync["object_metrics"][name] = _plain(text(found[0], "value"))
    else:
        path = f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{namespace}/{quote(name)}"
        found = _answered(ask, f"{path}?labelSelector={quote(labels)}")
        if found:
            sync["external_metrics"][name] = [_plain(text(one, "value")) for one in found]


def _plain(quantity: str) -> float:
    """Return a quantity as the plain number from which a history's reader gets the same milli-units."""
    milli = parse_quantity(quantity).milli()
    value = milli / 1000
    while int(value * 1000) != milli:
        value = math.nextafter(value, math.copysign(math.inf, milli))
    return value
