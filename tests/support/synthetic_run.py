"""A run with known answers, made through the real writers: a step of load takes the web pods from 2 to 9.

Offsets are seconds from `T0`, the start of the load window (`WINDOW_S` long):

    0     20 requests a second
    20    60 requests a second; orders slow down until the new pods serve
    36    kubelets' sample shows 180 % use (visible at 38)   41.2  HPA 2 -> 6
    51    kubelets' sample shows  90 % use (visible at 53)   56.2  HPA 6 -> 9
    100   the worker pod is killed (fault), its successor is Ready at 104
    120   10 requests a second
    191.2 HPA 9 -> 2, the seven youngest pods drain
    240   end of the load; the record goes on to 300
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.models import ClusterConfig, Expectations, LatencyObjective, Plan, Policy, Slo, run_name
from tidegate.run import MetricRow, RequestRow, RunWriter, labels_text, metric_writer, new_run, request_writer

T0 = 1_767_225_600.0
WINDOW_S = 240.0
RECORD_END_S = 300.0
REQUESTS = 20 * 20 + 60 * 100 + 10 * 120
NODES = ("tidegate-worker", "tidegate-worker2")
FIRST_SERVED_AFTER_S = 0.4
"""From Ready until the gateway sends a pod its first requests."""
SERVES_AFTER_DELETE_S = 1.0

SLO = Slo(
    availability_percent=99.9,
    min_requests=500,
    queue_age_max_s=30,
    latency=(
        LatencyObjective(
            route_group="reads",
            routes=("GET /api/v1/products", "GET /api/v1/products/{id}"),
            percentile=99,
            threshold_ms=1000,
        ),
        LatencyObjective(
            route_group="orders", routes=("POST /api/v1/orders",), percentile=95, threshold_ms=2000
        ),
    ),
)


@dataclass(frozen=True)
class Pod:
    """One pod's marks, as offsets; None for never."""

    name: str
    component: str
    node: str
    created: float
    scheduled: float | None
    started: float | None
    ready: float | None
    deleting: float | None = None
    gone: float | None = None


def _births() -> tuple[Pod, ...]:
    old = [Pod(f"tidegate-web-old{i}", "web", NODES[i], -100.0, -99.9, -98.0, -96.0) for i in range(2)]
    born: list[Pod] = []
    for decided, count in ((41.2, 4), (56.2, 3)):
        for _ in range(count):
            i = len(born)
            at = decided + 0.125 + 0.0625 * (i % 4)
            going = 191.2 + 0.25 + 0.0625 * i
            born.append(
                Pod(
                    name=f"tidegate-web-new{i}",
                    component="web",
                    node=NODES[i % 2],
                    created=at,
                    scheduled=at + 0.03125,
                    started=at + 1.5 + 0.25 * i,
                    ready=at + 3.0 + 0.5 * i,
                    deleting=going,
                    gone=going + 8.0,
                )
            )
    worker = Pod("tidegate-worker-a", "worker", NODES[0], -100.0, -99.9, -98.0, -96.0, 100.25, 101.0)
    heir = Pod("tidegate-worker-b", "worker", NODES[1], 100.5, 100.625, 102.0, 104.0)
    return (*old, *born, worker, heir)


@dataclass(frozen=True)
class Shape:
    """What may be varied; the defaults are the run described above."""

    scenario: str = "spike"
    slo: Slo = SLO
    policy: Policy = field(default_factory=Policy)
    min_peak_ready_web: int | None = 9
    load_window: bool = True
    failures: int = 4
    """Requests answered 503, spread evenly."""
    latency_factor: float = 1.0
    """Multiplies every service time."""
    generator_lag_s: float = 0.0
    """Added between intended start and start, without the user being busy."""
    stride: int = 1
    """Keep every n-th request only."""
    metrics: bool = True
    cluster: bool = True
    pods: tuple[Pod, ...] = field(default_factory=_births)
    notes: tuple[tuple[float, str, str, float | None], ...] = (
        (-5.0, "info", "watches are established", None),
    )
    """Offset, level, what, gap_s."""
    queue_age_s: float = 2.0
    more: tuple[tuple[float, Any, str, dict[str, Any]], ...] = ()
    """Further cluster records: offset, type, kind, object."""


def build_run(folder: Path, **overrides: Any) -> Path:
    """Make the run in a new folder below `folder` and return its path. `overrides` are fields of `Shape`."""
    shape = replace(Shape(), **overrides)
    created_s = T0 - 30
    window = (T0, T0 + WINDOW_S) if shape.load_window else None
    plan = Plan(
        run_id=run_name(created_s, shape.scenario),
        created_s=created_s,
        scenario=shape.scenario,
        scenario_parameters={"peak_rps": 60, "base_rps": 20},
        load_window_s=window,
        policy=shape.policy,
        slo=shape.slo,
        cluster=ClusterConfig(),
        versions={"kubernetes": "v1.36.3", "tidegate": "0.1.0"},
        host={"cores": "2", "kernel": "6.1"},
        expectations=Expectations(min_peak_ready_web=shape.min_peak_ready_web),
    )
    run = new_run(folder, plan)
    with request_writer(run, "locust-0", max_rows=2000) as even, request_writer(run, "locust-1") as odd:
        for number, row in enumerate(request_rows(shape)):
            (odd if number % 2 else even).append(row)
    if shape.metrics:
        with metric_writer(run, "observer", max_rows=500) as samples:
            for sample in metric_rows(shape):
                samples.append(sample)
    with RunWriter(run) as writer:
        if shape.cluster:
            records = [*_cluster(shape), *shape.more]
            for offset, event, kind, obj in sorted(records, key=lambda record: record[0]):
                writer.cluster(event, kind, obj, received_s=T0 + offset)
        for offset, level, what, gap_s in shape.notes:
            writer.note(level, what, t_s=T0 + offset, gap_s=gap_s)  # type: ignore[arg-type]
        writer.fault("worker-kill", "asked", {"dose": "one pod"}, t_s=T0 + 100.0)
        writer.fault("worker-kill", "landed", {"pod": "tidegate-worker-a"}, t_s=T0 + 100.25)
        writer.fault("worker-kill", "lifted", {"ready": "tidegate-worker-b"}, t_s=T0 + 104.0)
    return run


def intended_offsets() -> Iterator[float]:
    """Yield the offset of each intended start."""
    for begin, end, rate in ((0, 20, 20), (20, 120, 60), (120, 240, 10)):
        yield from (begin + number / rate for number in range((end - begin) * rate))


def request_rows(shape: Shape) -> Iterator[RequestRow]:
    """Yield every client request."""
    web = [pod for pod in shape.pods if pod.component == "web" and pod.ready is not None]
    kept = [(i, offset) for i, offset in enumerate(intended_offsets()) if i % shape.stride == 0]
    failing = {len(kept) * (n + 1) // (shape.failures + 1) for n in range(shape.failures)}
    for number, (i, intended) in enumerate(kept):
        start = intended + 0.002 + shape.generator_lag_s
        serving = [
            pod
            for pod in web
            if (pod.ready or 0) + FIRST_SERVED_AFTER_S <= start
            and (pod.deleting is None or start < pod.deleting + SERVES_AFTER_DELETE_S)
        ]
        pod = serving[i % len(serving)] if serving else None
        is_order, crowded = i % 4 == 0, 20 <= intended < 62
        method, route = ("POST", "POST /api/v1/orders") if is_order else ("GET", "GET /api/v1/products/{id}")
        if not is_order and i % 4 == 1:
            route = "GET /api/v1/products"
        service_ms = (200 + 10 * (i % 97)) * (1.6 if crowded else 1) if is_order else 20 + i % 89
        ok = number not in failing
        yield RequestRow(
            intended_start_s=T0 + intended,
            start_s=T0 + start,
            end_s=T0 + start + service_ms * shape.latency_factor / 1000,
            method=method,
            route=route,
            status=(201 if is_order else 200) if ok else 503,
            ok=ok,
            error=None if ok else "HTTP 503",
            pod=pod.name if pod else None,
            request_id=f"req-{i:06d}",
            user=number % 400,
            bytes=512 if ok else 64,
        )


def _use_percent(offset: float) -> int:
    """Return the use that all samples of the set taken at `offset` show, percent of the request."""
    if offset < 36:
        return 40
    if offset < 51:
        return 180
    if offset < 66:
        return 90
    return 55 if offset < 126 else 12


def metric_rows(shape: Shape) -> Iterator[MetricRow]:
    """Yield the samples, some of them received more than once, as polling does."""
    request_cores = shape.policy.web.cpu_request_m / 1000
    for number in range(-2, 20):
        offset = 6.0 + 15 * number
        seen = offset + 2.0
        for pod in shape.pods:
            if pod.ready is None or not pod.ready + 10 <= offset < (pod.deleting or RECORD_END_S):
                continue
            labels = labels_text({"pod": pod.name, "container": pod.component, "node": pod.node})
            share = 40 if pod.component == "worker" else _use_percent(offset)
            own = offset - (0.5 if pod.node == NODES[1] else 0.0)
            for poll in (seen, seen + 5.0):
                yield MetricRow(
                    T0 + own, T0 + poll, "pod_cpu_cores", labels, request_cores * share / 100, 15.0
                )
            yield MetricRow(T0 + own, T0 + seen, "pod_memory_bytes", labels, 96.0 * 2**20, 15.0)
    for second in range(-20, int(RECORD_END_S), 5):
        at = T0 + second
        yield MetricRow(at, at + 0.1, "queue_depth", "{}", 3.0, None)
        yield MetricRow(at, at + 0.1, "queue_age_s", "{}", shape.queue_age_s, None)
        yield MetricRow(
            at, at + 0.1, "http_rps", labels_text({"route": "/api/v1/products", "status": "200"}), 12.0, None
        )


def _iso(offset: float) -> str:
    """Return the API's form of a time: whole seconds, cut off."""
    return datetime.fromtimestamp(int(T0 + offset), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pod_object(pod: Pod, now: float) -> dict[str, Any]:
    def condition(kind: str, at: float | None) -> dict[str, Any]:
        true = at is not None and at <= now
        return {
            "type": kind,
            "status": "True" if true else "False",
            "lastTransitionTime": _iso(at if true and at else pod.created),
        }

    started = pod.started is not None and pod.started <= now
    metadata: dict[str, Any] = {
        "name": pod.name,
        "namespace": "tidegate",
        "uid": f"uid-{pod.name}",
        "creationTimestamp": _iso(pod.created),
        "labels": {"app.kubernetes.io/name": "tidegate", "app.kubernetes.io/component": pod.component},
    }
    if pod.deleting is not None and pod.deleting <= now:
        metadata |= {"deletionTimestamp": _iso(pod.deleting + 35), "deletionGracePeriodSeconds": 35}
    state = (
        {"running": {"startedAt": _iso(pod.started or 0)}}
        if started
        else {"waiting": {"reason": "ContainerCreating"}}
    )
    bound = pod.scheduled is not None and pod.scheduled <= now
    return {
        "metadata": metadata,
        "spec": {"nodeName": pod.node} if bound else {},
        "status": {
            "phase": "Running" if started else "Pending",
            "conditions": [condition("PodScheduled", pod.scheduled), condition("Ready", pod.ready)],
            "containerStatuses": [{"name": pod.component, "state": state}],
        },
    }


Event = tuple[float, Any, str, dict[str, Any]]
LISTED_AT = -20.0


def _pod_events(pod: Pod) -> Iterator[Event]:
    if pod.created < LISTED_AT:
        yield LISTED_AT, "SNAPSHOT", "Pod", _pod_object(pod, LISTED_AT)
    marks = (pod.created, pod.scheduled, pod.started, pod.ready, pod.deleting)
    for at in marks:
        if at is not None and at > LISTED_AT:
            yield at, "ADDED" if at == pod.created else "MODIFIED", "Pod", _pod_object(pod, at)
    if pod.gone is not None:
        yield pod.gone, "DELETED", "Pod", _pod_object(pod, pod.gone)


def _hpa(shape: Shape, desired: int, current: int, percent: int) -> dict[str, Any]:
    limits = shape.policy.web.hpa
    use = {"averageUtilization": percent, "averageValue": f"{percent}m"}
    return {
        "metadata": {"name": "tidegate-web", "namespace": "tidegate", "uid": "uid-hpa"},
        "spec": {"minReplicas": limits.min_replicas, "maxReplicas": limits.max_replicas},
        "status": {
            "desiredReplicas": desired,
            "currentReplicas": current,
            "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": use}}],
            "conditions": [
                {"type": "AbleToScale", "status": "True", "reason": "ReadyForNewScale", "message": "ready"},
                {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound", "message": "found"},
            ],
        },
    }


SCALES = ((41.2, 2, 6, 180), (56.2, 6, 9, 90), (191.2, 9, 2, 12))
"""Offset of the decision, from, to, use in percent."""


def _cluster(shape: Shape) -> Iterator[Event]:
    for node in ("tidegate-control-plane", *NODES):
        yield LISTED_AT, "SNAPSHOT", "Node", {"metadata": {"name": node}, "status": {}}
    for pod in shape.pods:
        yield from _pod_events(pod)
    deployment = {"metadata": {"name": "tidegate-web", "namespace": "tidegate", "uid": "uid-deploy"}}
    yield LISTED_AT, "SNAPSHOT", "Deployment", {**deployment, "spec": {"replicas": 2}}
    yield LISTED_AT, "SNAPSHOT", "HorizontalPodAutoscaler", _hpa(shape, 2, 2, 40)
    for at, before, after, percent in SCALES:
        about = {"kind": "HorizontalPodAutoscaler", "name": "tidegate-web", "namespace": "tidegate"}
        message = f"New size: {after}; reason: cpu resource utilization"
        event = {"metadata": {"name": f"tidegate-web.{after}"}, "involvedObject": about}
        yield at, "MODIFIED", "Deployment", {**deployment, "spec": {"replicas": after}}
        yield (
            at + 0.03,
            "ADDED",
            "Event",
            {**event, "reason": "SuccessfulRescale", "message": message, "lastTimestamp": _iso(at)},
        )
        yield at + 0.06, "MODIFIED", "HorizontalPodAutoscaler", _hpa(shape, after, before, percent)
        yield (
            at + 14.5,
            "MODIFIED",
            "HorizontalPodAutoscaler",
            _hpa(shape, after, after, _use_percent(at + 12)),
        )
