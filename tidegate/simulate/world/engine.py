"""What is measured of the pods, what is decided on it, and what the Deployment then does."""

from __future__ import annotations

import math

from tidegate.models import Policy
from tidegate.simulate.hpa import Memory, Observation, decide
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world.autoscaler import REQUESTS, RequestRates, seen_pod, spec_of_world
from tidegate.simulate.world.keda import poll
from tidegate.simulate.world.lives import Lives
from tidegate.simulate.world.measured import scrape
from tidegate.simulate.world.parameters import Rollout, World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.policy import controller_of_world
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.rollout import Sets, step


class Engine(Lives):
    """The whole of a simulated world; `simulation` brings in the load.

    Args:
        policy: what scales the web pods.
        world: what is assumed about everything else.
        seed: of every chance.
        recorder: is told.
        epoch_s: unix seconds of time 0.

    Raises:
        TidegateError: the controller's version is not known.
    """

    def __init__(self, policy: Policy, world: World, seed: int, recorder: Recorder, epoch_s: float) -> None:
        super().__init__(policy, world, seed, recorder)
        self.epoch_s = epoch_s
        self.spec, self.controller = spec_of_world(policy, world), controller_of_world(world.controller)
        self.memory = Memory()
        self.replicas = policy.web.hpa.min_replicas
        metric = world.requests_metric
        self.rates = None if metric is None else RequestRates(metric)
        self._rollout: Rollout | None = None
        self._active_s: float | None = None

    def changed(self, pod: Pod) -> None:
        """Let a rollout go on, and forget a pod that went."""
        if self.rates is not None and pod.gone_s <= self.now_s:
            self.rates.forget(pod)
        if self._rollout is not None:
            self.reconcile()

    # Measuring and deciding

    def scrape(self) -> None:
        """Take all pods' newest samples into metrics-server, which serves them when it has them all."""
        pipeline = self.world.pipeline
        points = [(pod, pod.point) for pod in self.pods.values()]

        def serve() -> None:
            for pod, point in points:
                if self.now_s < pod.gone_s and scrape(pod, point, pipeline.resolution_s):
                    self.recorder.sampled(self.now_s, pod)

        self.at(self.now_s + pipeline.scrape_s, serve)
        self.at(self.now_s + pipeline.resolution_s, self.scrape)

    def sync(self) -> None:
        """Let the autoscaler decide, and make or remove pods as it says."""
        decision, self.memory = decide(self.spec, self.controller, self.memory, self._seen())
        self.recorder.decided(self.now_s, decision)
        self._resize(decision.desired_replicas)
        self.at(self.now_s + self.world.controller.sync_s, self.sync)

    def _resize(self, replicas: int) -> None:
        """Ask for so many replicas of the Deployment."""
        before, self.replicas = self.replicas, replicas
        if before != replicas and 0 <= self.now_s <= self.totals.length_s:
            self.totals.rescales += 1
        if before != replicas:
            self.at(self.now_s + self.world.start.create_s, self.reconcile)

    def poll(self) -> None:
        """Let KEDA look at its trigger."""
        keda, rates = self.world.keda, self.rates
        if keda is None or rates is None:
            return
        found = poll(keda, rates.at_gateway(self.now_s), self.replicas, self.now_s, self._active_s)
        self._active_s = found.last_active_s
        if found.replicas is not None:
            self._resize(found.replicas)
            self.recorder.resized(self.now_s, found.replicas)
        self.at(self.now_s + keda.polling_s, self.poll)

    def scrape_requests(self) -> None:
        """Let Prometheus scrape, each target at a moment of its own within the interval."""
        metric, rates = self.world.requests_metric, self.rates
        if metric is None or rates is None:
            return
        rates.scrape_gateway(self.serving.arrived, self.now_s)
        for pod in self.pods.values():
            offset_s = pod.quota.phase_s / pod.quota.period_s * metric.scrape_s
            self.at(self.now_s + offset_s, lambda pod=pod: self._scrape_pod(pod))
        self.at(self.now_s + metric.scrape_s, self.scrape_requests)

    def _scrape_pod(self, pod: Pod) -> None:
        if self.rates is not None and pod.is_ready(self.now_s):
            self.rates.scrape_pod(pod, self.now_s)

    # The Deployment

    def rollout(self, rollout: Rollout) -> None:
        """Begin to replace all pods."""
        self._rollout, self.template = rollout, self.template + 1
        self.reconcile()

    def reconcile(self) -> None:
        """Make and remove pods as the Deployment's controller would, now."""
        staying = [pod for pod in self.pods.values() if pod.deleting_s == float("inf")]
        old = [pod for pod in staying if pod.template < self.template]
        new = [pod for pod in staying if pod.template == self.template]
        if self._rollout is None or not old:
            olds, news = 0, self.replicas
        else:
            available = [sum(pod.is_ready(self.now_s) for pod in pods) for pods in (old, new)]
            olds, news = len(old), len(new)
            while True:
                asked = step(self._rollout, self.replicas, Sets(olds, news, *available))
                if asked == (olds, news):
                    break
                olds, news = asked
        self._shrink(old, olds)
        for _ in range(news - len(new)):
            self.create()
        self._shrink(new, news)

    def _shrink(self, staying: list[Pod], count: int) -> None:
        # The ReplicaSet's order (pkg/controller/controller_utils.go, ActivePodsWithRanks): without a node
        # first, then those not Ready, then those Ready for the shortest time.
        staying.sort(
            key=lambda pod: (pod.node is not None, pod.is_ready(self.now_s), -min(pod.ready_s, 1e12))
        )
        for pod in staying[: max(0, len(staying) - count)]:
            self.delete(pod)

    def _seen(self) -> Observation:
        present = [pod for pod in self.pods.values() if pod.created_s <= self.now_s]
        active = sum(pod.deleting_s == float("inf") for pod in present)
        self.totals.most_replicas = max(self.totals.most_replicas, active)
        rates, metric = self.rates, self.world.requests_metric
        outside = rates.at_gateway(self.now_s) if rates is not None and self.world.keda is not None else None
        of_pods = rates.of_pods(present, self.now_s) if rates is not None and metric is not None else {}
        return Observation(
            t_ns=round((self.epoch_s + self.now_s) * NANOS),
            spec_replicas=self.replicas,
            status_replicas=active,
            pods=tuple(
                seen_pod(pod, self.now_s, self.epoch_s, self.policy.web.cpu_request_m) for pod in present
            ),
            pod_metrics={REQUESTS: of_pods} if of_pods else {},
            external_metrics={} if outside is None else {REQUESTS: (math.ceil(outside * 1000),)},
        )
