"""What the autoscaler is, and what it sees of the simulated pods beside their use of CPU."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from tidegate.models import Policy
from tidegate.simulate.hpa.pods import Container, Ready
from tidegate.simulate.hpa.pods import Pod as SeenPod
from tidegate.simulate.hpa.spec import NANOS, ExternalMetric, PodsMetric, Spec
from tidegate.simulate.world.measured import CONTAINER, usage
from tidegate.simulate.world.parameters import RequestsMetric, World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.policy import spec_of_policy
from tidegate.simulate.world.prometheus import Series

REQUESTS = "requests_per_second"


def spec_of_world(policy: Policy, world: World) -> Spec:
    """Return the web autoscaler: the policy's, with requests a second where the world has that metric.

    KEDA's own autoscaler has no CPU metric, and at least one replica (pkg: controllers/keda/hpa.go,
    getHPAMinReplicas): zero is KEDA's part.
    """
    spec, metric = spec_of_policy(policy), world.requests_metric
    if metric is None:
        return spec
    target_milli = round(metric.target_rps * 1000)
    if world.keda is None:
        return replace(spec, metrics=(*spec.metrics, PodsMetric(REQUESTS, average_milli=target_milli)))
    return replace(
        spec,
        min_replicas=max(1, world.keda.min_replicas),
        metrics=(ExternalMetric(REQUESTS, average_milli=target_milli),),
    )


def seen_pod(pod: Pod, now_s: float, epoch_s: float, request_m: int) -> SeenPod:
    """Return `pod` as the controller has it at `now_s`."""
    started, ready = pod.started_s <= now_s, pod.is_ready(now_s)
    since_s = pod.ready_s if ready else pod.created_s
    return SeenPod(
        name=pod.name,
        phase="Running" if started else "Pending",
        ready=Ready.TRUE if ready else Ready.FALSE,
        ready_since_ns=math.floor(epoch_s + since_s) * NANOS,
        started_ns=math.floor(epoch_s + pod.scheduled_s) * NANOS if pod.node is not None else None,
        deleting=pod.deleting_s <= now_s,
        containers=(Container(CONTAINER, {"cpu": request_m}),),
        usage=usage(pod, epoch_s),
    )


class RequestRates:
    """Requests a second of each pod, and of all at the gateway, as Prometheus has them.

    Args:
        metric: its scraping.
    """

    def __init__(self, metric: RequestsMetric) -> None:
        self._window_s = metric.window_s
        self._pods: dict[str, Series] = {}
        self._all = Series(metric.window_s)

    def scrape_pod(self, pod: Pod, now_s: float) -> None:
        """Scrape one pod's counter."""
        self._pods.setdefault(pod.name, Series(self._window_s)).scraped(now_s, float(pod.requests))

    def scrape_gateway(self, arrived: int, now_s: float) -> None:
        """Scrape the gateway's counter, which also has what no pod could take."""
        self._all.scraped(now_s, float(arrived))

    def of_pods(self, pods: Iterable[Pod], now_s: float) -> dict[str, int]:
        """Return the milli-values that the custom metrics API has."""
        found = dict[str, int]()
        for pod in pods:
            series = self._pods.get(pod.name)
            value = None if series is None else series.rate(now_s)
            if value is not None:
                found[pod.name] = math.ceil(round(value * 1e6) / 1e3)
        return found

    def forget(self, pod: Pod) -> None:
        """Forget a pod that is gone."""
        self._pods.pop(pod.name, None)

    def at_gateway(self, now_s: float) -> float | None:
        """Return requests a second of all; None without two scrapes."""
        return self._all.rate(now_s)
