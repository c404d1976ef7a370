"""A Run with one experiment whose answer is known, made through the real writers.

Offsets are seconds from `T0`, when the fault is asked for. Three web pods serve 20 requests a second from
-60 to 120 s. At 0 one of them, `web-a`, is deleted; `web-d` takes its place and is Ready at 4 s. The
autoscaler stays where it is. Everything that a broken set-up changes is a field of `Shape`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tidegate.chaos.catalogue import load_experiments
from tidegate.models import ClusterConfig, Plan, Policy, Slo, run_name
from tidegate.models.policy import HpaPolicy, WebPolicy
from tidegate.run import MetricRow, RequestRow, RunWriter, labels_text, metric_writer, new_run, request_writer

T0 = 1_767_225_600.0
BEGIN_S, END_S = -60.0, 120.0
RATE = 20
SLO = Slo(availability_percent=99.9, min_requests=100)


def policy_with(least: int, most: int) -> Policy:
    """Return the policy with these bounds."""
    hpa = HpaPolicy(min_replicas=least, max_replicas=most, cpu_target_percent=60)
    return Policy(web=WebPolicy(hpa=hpa))


POLICY = policy_with(3, 8)


@dataclass(frozen=True)
class Failing:
    """Requests that fail: those of `pod`, or all, meant to start within a span; every n-th of them."""

    from_s: float
    to_s: float
    pod: str | None = None
    every: int = 1
    status: int = 503


@dataclass(frozen=True)
class Shape:
    """The sound set-up; each broken one changes a field or two."""

    experiment: str = "pod-kill"
    pods: tuple[str, ...] = ("web-a", "web-b", "web-c")
    hit: tuple[str, ...] = ("web-a",)
    errors: tuple[str, ...] = ()
    lands: bool = True
    lifted_s: float | None = 1.0
    failing: tuple[Failing, ...] = ()
    slow: tuple[tuple[float, float, float], ...] = ()
    """From, to and milliseconds that are added to each answer."""
    served_until_s: float = 0.0
    """Until when the killed pod gets requests."""
    also_lost: tuple[tuple[str, float], ...] = ()
    """Other pods that go, and when."""
    evicted: tuple[tuple[str, float], ...] = ()
    """Pods that are told to go, and when."""
    grace_s: int = 35
    """Their grace."""
    lives_on_s: float = 5.0
    """Seconds from then until the container of an evicted pod ends."""
    cordoned: bool = False
    """Whether the node takes no new pods from 0.5 s on."""
    told: dict[str, Any] = field(default_factory=dict[str, Any])
    """What else the injector says."""
    generator_lag_s: float = 0.0
    request_clock_s: float = 0.0
    """By how much the generator's clock is ahead."""
    observer_clock_s: float = 0.0
    """By how much the observer's clock is ahead."""
    newest_request_s: float | None = None
    """End of the newest request that was on disk when the fault was asked for."""
    eligible: tuple[str, ...] | None = None
    """Pods that could be chosen; all of them by default."""
    unwatched: tuple[str, ...] = ()
    """Pods that serve and are in no watch event."""
    anonymous: bool = False
    """Whether those do not name themselves either, as a gateway that answers by itself."""
    server_errors_share: float = 0.0
    """Share of 5xx that the service itself counts while the fault is there."""
    events: tuple[tuple[float, str], ...] = ()
    cpu: tuple[tuple[float, int], ...] = ((-60.0, 40),)
    """Percent of the CPU request that the autoscaler reports from then on."""
    desired: tuple[tuple[float, int], ...] = ((-60.0, 3),)
    max_replicas: int = 8
    policy_bounds: tuple[int, int] = (3, 8)
    """Fewest and most replicas of the policy."""
    orders: tuple[float, float] | None = (0.0, 0.0)
    probes: tuple[tuple[str, str, float, float], ...] = ()
    """Series, `to`, value before and value while the fault is there, of every hit pod."""


def build(folder: Path, **overrides: Any) -> Path:
    """Make the Run in a new folder below `folder` and return its path; `overrides` are fields of `Shape`."""
    shape = replace(Shape(), **overrides)
    plan = Plan(
        run_id=run_name(T0 - 90, "steady"),
        created_s=T0 - 90,
        scenario="steady",
        load_window_s=(T0 + BEGIN_S, T0 + END_S),
        policy=policy_with(*shape.policy_bounds),
        slo=SLO,
        cluster=ClusterConfig(),
    )
    run = new_run(folder, plan)
    with request_writer(run, "locust-0") as rows:
        for row in _requests(shape):
            rows.append(row)
    with metric_writer(run, "observe-1") as samples:
        for sample in _samples(shape):
            samples.append(sample)
    with RunWriter(run) as writer:
        for at_s, change, kind, obj in sorted(_cluster(shape), key=lambda one: one[0]):
            received_s = T0 + at_s + shape.observer_clock_s
            writer.cluster(change, kind, obj, received_s=received_s)  # type: ignore[arg-type]
        (experiment,) = load_experiments([shape.experiment])
        asked: dict[str, Any] = {
            "hypothesis": experiment.hypothesis.model_dump(mode="json"),
            "kind": experiment.kind,
            "at_once": experiment.at_once,
            "pods": list(shape.pods if shape.eligible is None else shape.eligible),
            "most": len(shape.hit),
        }
        if shape.newest_request_s is not None:
            asked["newest_request_s"] = T0 + shape.newest_request_s
        writer.fault(shape.experiment, "asked", asked, t_s=T0)
        if shape.lifted_s is not None:
            injector = {"injected": not shape.errors, "pods": list(shape.hit), "errors": list(shape.errors)}
            injector |= shape.told
            writer.fault(shape.experiment, "lifted", {"injector": injector}, t_s=T0 + shape.lifted_s)
    return run


def _gone_s(shape: Shape) -> dict[str, float]:
    killed = dict.fromkeys(shape.hit, 0.0) if shape.lands and shape.experiment.startswith("pod-kill") else {}
    return {**killed, **dict(shape.also_lost), **dict(shape.evicted)}


def _heirs(shape: Shape) -> dict[str, float]:
    """Name and moment of birth of each pod that takes another's place."""
    return {f"web-{chr(ord('d') + i)}": at_s + 0.5 for i, at_s in enumerate(_gone_s(shape).values())}


def _requests(shape: Shape) -> list[RequestRow]:
    gone, heirs = _gone_s(shape), _heirs(shape)
    found: list[RequestRow] = []
    for number in range(int((END_S - BEGIN_S) * RATE)):
        at_s = BEGIN_S + number / RATE
        serving = [pod for pod in shape.pods if at_s < max(gone.get(pod, 1e9), shape.served_until_s)]
        serving += [pod for pod, born_s in heirs.items() if at_s > born_s + 4]
        serving += list(shape.unwatched)
        pod = serving[number % len(serving)] if serving else None
        bad = next(
            (
                each
                for i, each in enumerate(shape.failing)
                if each.from_s <= at_s < each.to_s
                and each.pod in (None, pod)
                and (number + i) % each.every == 0
            ),
            None,
        )
        added_ms = sum(ms for from_s, to_s, ms in shape.slow if from_s <= at_s < to_s)
        start_s = T0 + at_s + 0.001 + shape.generator_lag_s + shape.request_clock_s
        found.append(
            RequestRow(
                intended_start_s=T0 + at_s + shape.request_clock_s,
                start_s=start_s,
                end_s=start_s + (20 + number % 37 + added_ms) / 1000,
                method="GET",
                route="GET /api/v1/products",
                status=bad.status if bad else 200,
                ok=bad is None,
                error=f"HTTP {bad.status}" if bad else None,
                pod=None if shape.anonymous and pod in shape.unwatched else pod,
                request_id=f"r{number}",
                user=number,
                bytes=100,
            )
        )
    return found


def _samples(shape: Shape) -> list[MetricRow]:
    found: list[MetricRow] = []

    def add(at_s: float, name: str, labels: dict[str, str], value: float) -> None:
        received_s = T0 + at_s + 0.1 + shape.observer_clock_s
        found.append(MetricRow(T0 + at_s, received_s, name, labels_text(labels), value, None))

    for step in range(int((END_S - BEGIN_S) // 5)):
        at_s = BEGIN_S + 5 * step
        there = 0 <= at_s < max(shape.lifted_s or END_S, 30.0)
        bad = shape.server_errors_share if there else 0.0
        add(at_s, "http_rps", {"route": "GET /api/v1/products", "status": "200"}, RATE * (1 - bad))
        add(at_s, "http_rps", {"route": "GET /api/v1/products", "status": "503"}, RATE * bad)
        for pod in shape.pods:
            add(at_s, "pod_cpu_cores", {"pod": pod}, 0.05)
        during = 0 <= at_s < (shape.lifted_s if shape.lifted_s is not None else END_S)
        for name, to, usual, hit in shape.probes:
            for pod in shape.hit:
                labels = {"pod": pod, "to": to} if to else {"pod": pod}
                add(at_s + 1, name, labels, hit if during and shape.lands else usual)
        if shape.orders is not None and at_s > 0:
            add(at_s, "orders_lost", {}, shape.orders[0])
            add(at_s, "orders_doubled", {}, shape.orders[1])
    return found


Event = tuple[float, str, str, dict[str, Any]]


def _cluster(shape: Shape) -> list[Event]:
    gone, heirs = _gone_s(shape), _heirs(shape)
    found: list[Event] = [
        (BEGIN_S - 5, "SNAPSHOT", "Pod", _pod(pod, BEGIN_S - 100, ready=True)) for pod in shape.pods
    ]
    for pod, at_s in shape.evicted:
        ended_s = at_s + shape.lives_on_s
        grace_s = shape.grace_s
        going = _pod(pod, BEGIN_S - 100, ready=True, deleting_s=at_s, grace_s=grace_s)
        ended = _pod(pod, BEGIN_S - 100, ready=False, deleting_s=at_s, grace_s=grace_s, ended_s=ended_s)
        found += [
            (at_s, "MODIFIED", "Pod", going),
            (ended_s + 0.3, "MODIFIED", "Pod", ended),
            (ended_s + 0.5, "DELETED", "Pod", ended),
        ]
    if shape.cordoned:
        found += [
            (BEGIN_S - 5, "SNAPSHOT", "Node", _node(closed=False)),
            (0.5, "MODIFIED", "Node", _node(closed=True)),
        ]
    for pod, at_s in gone.items():
        if pod in dict(shape.evicted):
            continue
        found.append((at_s, "MODIFIED", "Pod", _pod(pod, BEGIN_S - 100, ready=False, deleting_s=at_s)))
        found.append((at_s + 0.4, "DELETED", "Pod", _pod(pod, BEGIN_S - 100, ready=False, deleting_s=at_s)))
    for pod, at_s in heirs.items():
        found.append((at_s, "ADDED", "Pod", _pod(pod, at_s, ready=False)))
        found.append((at_s + 3.5, "MODIFIED", "Pod", _pod(pod, at_s, ready=True)))
    for step in range(int((END_S - BEGIN_S) // 15)):
        at_s = BEGIN_S + 15 * step
        found.append((at_s, "MODIFIED", "HorizontalPodAutoscaler", _hpa(shape, at_s)))
    for at_s, message in shape.events:
        event = {"metadata": {"name": "e", "uid": "e"}, "reason": "FailedEviction", "message": message}
        found.append((at_s, "ADDED", "Event", event))
    return found


def _at(steps: tuple[tuple[float, int], ...], t_s: float) -> int:
    return [value for from_s, value in steps if from_s <= t_s][-1]


def _hpa(shape: Shape, at_s: float) -> dict[str, Any]:
    desired = _at(shape.desired, at_s)
    use = {"resource": {"name": "cpu", "current": {"averageUtilization": _at(shape.cpu, at_s)}}}
    return {
        "metadata": {"name": "tidegate-web", "uid": "hpa"},
        "spec": {"minReplicas": 3, "maxReplicas": shape.max_replicas},
        "status": {"desiredReplicas": desired, "currentReplicas": desired, "currentMetrics": [use]},
    }


def _stamp(offset: float) -> str:
    return datetime.fromtimestamp(T0 + offset, tz=UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _node(*, closed: bool) -> dict[str, Any]:
    spec = {"unschedulable": True} if closed else {}
    return {"metadata": {"name": "worker", "uid": "worker"}, "spec": spec, "status": {}}


def _pod(
    name: str,
    created_s: float,
    *,
    ready: bool,
    deleting_s: float | None = None,
    grace_s: int = 0,
    ended_s: float | None = None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": name,
        "uid": name,
        "labels": {"app.kubernetes.io/component": "web"},
        "creationTimestamp": _stamp(created_s),
    }
    if deleting_s is not None:
        ends = _stamp(deleting_s + grace_s)
        metadata |= {"deletionTimestamp": ends, "deletionGracePeriodSeconds": grace_s}
    since = _stamp(created_s + 3)
    state: dict[str, Any] = {"running": {"startedAt": since}}
    if ended_s is not None:
        state = {"terminated": {"startedAt": since, "finishedAt": _stamp(ended_s), "exitCode": 0}}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "worker", "containers": [{"name": "web", "image": "tidegate:1"}]},
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": "PodScheduled", "status": "True", "lastTransitionTime": since},
                {"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": since},
            ],
            "containerStatuses": [{"name": "web", "restartCount": 0, "state": state}],
        },
    }
