"""An eventful run, computed: a surge that the first pods cannot carry, scaling that catches up, two faults.

Each pod is a queue that works at its CPU limit; latency, failures and CPU follow from the arrivals, and the
autoscaler's steps from the CPU by the rules of autoscaling/v2 (tolerance, stabilization downwards). It is for
looking at the report, and for testing what the tame run does not show. Offsets are seconds from `T0`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from support.synthetic_run import SLO, T0

from tidegate.models import ClusterConfig, Expectations, Plan, Policy, run_name
from tidegate.run import (
    MetricRow,
    RequestRow,
    RunWriter,
    labels_text,
    metric_writer,
    new_run,
    request_writer,
)

LOAD_S, RECORD_S = 480.0, 560.0
KILL_S, SLOW_FROM_S, SLOW_TO_S = 214.0, 300.0, 330.0
LIMIT_CORES, REQUEST_CORES, TARGET = 0.5, 0.25, 60
NODES = ("tidegate-worker", "tidegate-worker2", "tidegate-worker3")
FULL_S, GIVE_UP_S = 4.0, 8.0
"""Backlog at which a pod refuses, and time after which the client gives up."""


@dataclass
class Life:
    """One web pod: a queue, and its marks as offsets."""

    name: str
    node: str
    created: float
    started: float
    ready: float
    deleting: float = math.inf
    gone: float = math.inf
    free_at: float = 0.0
    work: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def serving(self, now: float) -> bool:
        return self.ready + 0.3 <= now < self.deleting + 0.8

    def cores(self, end: float, window: float = 15.0) -> float:
        busy = sum(max(0.0, min(b, end) - max(a, end - window)) for a, b in self.work)
        return 0.012 + LIMIT_CORES * busy / window


@dataclass
class Tale:
    """What has happened so far."""

    pods: list[Life] = field(default_factory=list[Life])
    requests: list[RequestRow] = field(default_factory=list[RequestRow])
    samples: list[MetricRow] = field(default_factory=list[MetricRow])
    scales: list[tuple[float, int, int, int]] = field(default_factory=list[tuple[float, int, int, int]])
    readings: list[tuple[float, int, int]] = field(default_factory=list[tuple[float, int, int]])
    recent: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])
    desired: int = 2


def offered(t: float) -> float:
    """Requests a second that are meant to start at `t`."""
    swell = 1 + 0.06 * math.sin(t / 7)
    if t < 60:
        return 22 * swell
    if t < 84:
        return (22 + (t - 60) / 24 * 168) * swell
    if t < 250:
        return 190 * swell
    if t < 290:
        return (190 - (t - 250) / 40 * 130) * swell
    return (60 if t < 380 else 18) * swell


def _birth(tale: Tale, at: float, rng: Random) -> None:
    created = at + rng.uniform(0.08, 0.4)
    started = (
        created + rng.uniform(1.1, 2.2) + 0.12 * sum(1 for pod in tale.pods if abs(pod.created - at) < 2)
    )
    name = f"tidegate-web-7c9f6b5d8-{''.join(rng.choice('bcdfghjklmnpqrstvwxz2456789') for _ in range(5))}"
    alive = [sum(1 for pod in tale.pods if pod.node == node and pod.gone > at) for node in NODES]
    node = NODES[alive.index(min(alive))]
    tale.pods.append(Life(name, node, created, started, started + rng.uniform(2.4, 4.2)))


def _sync(tale: Tale, now: float, rng: Random) -> None:
    """One round: the kubelets' samples of 4 s ago are visible, and the autoscaler acts on them."""
    at = now - rng.uniform(3.5, 5.0)
    ready = [pod for pod in tale.pods if pod.ready + 8 <= at < pod.deleting]
    for pod in ready:
        own = at - 0.4 * NODES.index(pod.node)
        labels = labels_text({"pod": pod.name, "container": "web", "node": pod.node})
        tale.samples.append(MetricRow(T0 + own, T0 + at + 1.8, "pod_cpu_cores", labels, pod.cores(own), 15.0))
    if not ready:
        return
    use = sum(pod.cores(at) for pod in ready) / len(ready) / REQUEST_CORES * 100
    want = tale.desired if abs(use / TARGET - 1) <= 0.1 else math.ceil(len(ready) * use / TARGET)
    tale.recent = [(t, n) for t, n in tale.recent if t > now - 60] + [(now, want)]
    if want < tale.desired:
        want = min(tale.desired, max(n for _, n in tale.recent))
    want = max(2, min(14, want, max(tale.desired * 2, tale.desired + 4)))
    tale.readings.append((now, want, round(use)))
    if want == tale.desired:
        return
    tale.scales.append((now, tale.desired, want, round(use)))
    alive = sorted((pod for pod in tale.pods if pod.deleting == math.inf), key=lambda pod: -pod.created)
    for pod in alive[: max(0, tale.desired - want)]:
        pod.deleting = now + rng.uniform(0.1, 0.5)
        pod.gone = pod.deleting + rng.uniform(6.5, 9)
    for _ in range(want - tale.desired):
        _birth(tale, now, rng)
    tale.desired = want


def _kill(tale: Tale, rng: Random) -> None:
    victim = next(pod for pod in tale.pods if pod.serving(KILL_S) and pod.name != tale.pods[0].name)
    victim.deleting, victim.gone = KILL_S, KILL_S + 0.6
    _birth(tale, KILL_S + 0.2, rng)


def _arrive(tale: Tale, number: int, t: float, rng: Random) -> None:
    order = rng.random() < 0.3
    cost = rng.lognormvariate(math.log(0.052), 0.35) if order else rng.lognormvariate(math.log(0.009), 0.3)
    serving = [pod for pod in tale.pods if pod.serving(t) and pod.gone > t]
    pod = min(rng.sample(serving, min(2, len(serving))), key=lambda one: one.free_at)
    start = t + abs(rng.gauss(0.0008, 0.0006))
    begin = max(pod.free_at, start)
    slow = 0.55 if order and SLOW_FROM_S <= t < SLOW_TO_S else 0.0
    status, error, end = (201 if order else 200), None, begin + cost / LIMIT_CORES
    if begin - start > FULL_S:
        status, error, end = 503, "HTTP 503", start + 0.004
    else:
        pod.free_at = end
        pod.work.append((begin, end))
        end += slow + 0.004 + rng.expovariate(400)
        if end > pod.gone:
            status, error, end = 0, "RemoteProtocolError: server disconnected", pod.gone
        elif end - t > GIVE_UP_S:
            status, error, end = 0, "timeout", t + GIVE_UP_S
    route = (
        "POST /api/v1/orders"
        if order
        else rng.choice(("GET /api/v1/products", "GET /api/v1/products/{id}", "GET /api/v1/orders/{id}"))
    )
    tale.requests.append(
        RequestRow(
            T0 + t, T0 + start, T0 + end, route.split()[0], route, status, error is None, error,
            pod.name if status else None, f"req-{number:06d}", number, 640,
        )
    )  # fmt: skip


def tell() -> Tale:
    """Return the tale, always the same."""
    rng, tale = Random(11), Tale()
    for _ in range(2):
        _birth(tale, -90.0, rng)
    ticks = [(float(at) + 1.7, "sync") for at in range(-30, int(RECORD_S), 15)] + [(KILL_S, "kill")]
    arrivals: list[tuple[float, str]] = []
    t = 0.0
    while (t := t + rng.expovariate(offered(t))) < LOAD_S:
        arrivals.append((t, "request"))
    for number, (at, what) in enumerate(sorted([*ticks, *arrivals])):
        if what == "request":
            _arrive(tale, number, at, rng)
        elif what == "sync":
            _sync(tale, at, rng)
        else:
            _kill(tale, rng)
    for half in range(-20, int(RECORD_S) * 2):
        at = T0 + half / 2
        late = abs(rng.gauss(0, 0.002)) + (0.03 if 84 <= half / 2 < 110 else 0.0)
        tale.samples.append(MetricRow(at, at, "generator_lag_s", "{}", late, None))
        tale.samples.append(MetricRow(at, at, "generator_cpu_cores", "{}", offered(half / 2) / 420, 0.5))
    for second in range(-25, int(RECORD_S), 5):
        depth = round(
            max(0.0, 3 + 2.2 * math.sin(second / 9) + (41 if SLOW_FROM_S <= second < SLOW_TO_S else 0))
        )
        tale.samples.append(MetricRow(T0 + second, T0 + second + 0.1, "queue_depth", "{}", depth, None))
        tale.samples.append(MetricRow(T0 + second, T0 + second + 0.1, "queue_age_s", "{}", depth / 6, None))
    return tale


def _iso(offset: float) -> str:
    return datetime.fromtimestamp(math.floor(T0 + offset), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _pod_object(pod: Life, now: float) -> dict[str, Any]:
    def condition(kind: str, at: float) -> dict[str, Any]:
        true = at <= now
        return {"type": kind, "status": str(true), "lastTransitionTime": _iso(at if true else pod.created)}

    metadata: dict[str, Any] = {
        "name": pod.name,
        "uid": f"uid-{pod.name}",
        "creationTimestamp": _iso(pod.created),
        "labels": {"app.kubernetes.io/component": "web"},
    }
    if pod.deleting <= now:
        metadata |= {"deletionTimestamp": _iso(pod.deleting + 35), "deletionGracePeriodSeconds": 35}
    running: dict[str, dict[str, str]] = (
        {"running": {"startedAt": _iso(pod.started)}} if pod.started <= now else {"waiting": {}}
    )
    return {
        "metadata": metadata,
        "spec": {"nodeName": pod.node} if pod.created + 0.04 <= now else {},
        "status": {
            "conditions": [condition("PodScheduled", pod.created + 0.04), condition("Ready", pod.ready)],
            "containerStatuses": [{"name": "web", "state": running}],
        },
    }


def _hpa_object(desired: int, current: int, use: int) -> dict[str, Any]:
    cpu = {"name": "cpu", "current": {"averageUtilization": use}}
    return {
        "metadata": {"name": "tidegate-web", "uid": "uid-hpa"},
        "spec": {"minReplicas": 2, "maxReplicas": 14},
        "status": {
            "desiredReplicas": desired,
            "currentReplicas": current,
            "currentMetrics": [{"type": "Resource", "resource": cpu}],
        },
    }


def _record(writer: RunWriter, tale: Tale) -> None:
    found: list[tuple[float, Any, str, dict[str, Any]]] = []
    for pod in tale.pods:
        for mark in (pod.created, pod.created + 0.04, pod.started, pod.ready, pod.deleting):
            if math.isfinite(mark):
                kind = "ADDED" if mark == pod.created else "MODIFIED"
                found.append((mark, kind, "Pod", _pod_object(pod, mark)))
        if math.isfinite(pod.gone):
            found.append((pod.gone, "DELETED", "Pod", _pod_object(pod, pod.gone)))
    found.append((-28.5, "SNAPSHOT", "HorizontalPodAutoscaler", _hpa_object(2, 2, 20)))
    for at, want, use in tale.readings:
        found.append((at + 0.05, "MODIFIED", "HorizontalPodAutoscaler", _hpa_object(want, want, use)))
    for at, event, kind, obj in sorted(found, key=lambda record: record[0]):
        writer.cluster(event, kind, obj, received_s=T0 + at)
    writer.fault("web-pod-kill", "asked", {"dose": "one web pod"}, t_s=T0 + KILL_S - 0.4)
    writer.fault("web-pod-kill", "landed", {"exit code": 137}, t_s=T0 + KILL_S)
    writer.fault("web-pod-kill", "lifted", {"ready again": "yes"}, t_s=T0 + KILL_S + 6.1)
    writer.fault("database-latency", "asked", {"delay": "550 ms"}, t_s=T0 + SLOW_FROM_S - 0.5)
    writer.fault("database-latency", "landed", {"probe": "552 ms"}, t_s=T0 + SLOW_FROM_S)
    writer.fault("database-latency", "lifted", {"probe": "2 ms"}, t_s=T0 + SLOW_TO_S)
    writer.note("info", "watches are established on pods, nodes, deployments, autoscalers", t_s=T0 - 26)
    writer.note("warning", "load generator: its loop was 0.104 s late at 0.36 cores", t_s=T0 + 97.5)
    writer.note("info", "load generator: all requests recorded", t_s=T0 + LOAD_S + 1)


def build_eventful_run(folder: Path) -> Path:
    """Make the run in a new folder below `folder` and return its path."""
    created_s, policy = T0 - 95, Policy()
    hpa = policy.web.hpa
    down = hpa.scale_down.model_copy(update={"stabilization_window_s": 60})
    hpa = hpa.model_copy(update={"max_replicas": 14, "scale_down": down})
    web = policy.web.model_copy(update={"cpu_request_m": 250, "hpa": hpa})
    plan = Plan(
        run_id=run_name(created_s, "spike"),
        created_s=created_s,
        scenario="spike",
        scenario_parameters={"base_rps": 22, "peak_rps": 190, "ramp_s": 24, "orders_share": 0.3},
        load_window_s=(T0, T0 + LOAD_S),
        policy=policy.model_copy(update={"web": web}),
        slo=SLO,
        cluster=ClusterConfig(workers=3),
        versions={
            "tidegate": "0.1.0",
            "kubernetes": "v1.36.3",
            "envoy-gateway": "v1.9.1",
            "locust": "2.42.1",
        },
        host={"cores": "8", "memory": "32 GiB", "kernel": "6.12"},
        expectations=Expectations(min_peak_ready_web=8),
    )
    run, tale = new_run(folder, plan), tell()
    with request_writer(run, "load-1") as requests:
        for row in tale.requests:
            requests.append(row)
    with metric_writer(run, "observer-1") as samples:
        for sample in tale.samples:
            samples.append(sample)
    with RunWriter(run) as writer:
        _record(writer, tale)
    return run
