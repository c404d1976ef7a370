"""The clock: what happens in which order.

Discrete events, in the order of their time and then of their making, so that a seed gives the same run on
every machine. Requests need no event each: a pod takes them in the order in which they come (see `pod`).
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

from tidegate.models import Policy
from tidegate.simulate.hpa import Memory, Observation, decide
from tidegate.simulate.hpa.pods import Container, Ready
from tidegate.simulate.hpa.pods import Pod as SeenPod
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.cluster import Cluster
from tidegate.simulate.world.measured import CONTAINER, scrape, usage
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.policy import controller_of_world, spec_of_policy, speed_of
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.totals import LEAD_S, Totals


class Engine:
    """The state of a simulated world and what can happen in it; `simulation` brings in the load.

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
        self.policy, self.world, self.recorder, self.epoch_s = policy, world, recorder, epoch_s
        self.spec, self.controller = spec_of_policy(policy), controller_of_world(world.controller)
        self.memory = Memory()
        self.totals = Totals()
        self.now_s = -LEAD_S
        self.pods: dict[str, Pod] = {}
        self.pending: list[Pod] = []
        self.serving: list[Pod] = []
        self.replicas = policy.web.hpa.min_replicas
        web = policy.web
        self.speed = speed_of(policy, world)
        self.cluster = Cluster(world.nodes, web.cpu_request_m, self.now_s)
        self._requests = {"cpu": web.cpu_request_m}
        self.starts, self.costs, self.balance, self.jitter = (
            chance(seed, purpose) for purpose in ("starts", "costs", "balance", "jitter")
        )
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._made = self._born = 0
        self._nodes_counted_s = 0.0
        variance = math.log(1 + world.service.cpu_variation**2)
        self._cost = math.log(world.service.cpu_ms / 1000) - variance / 2, math.sqrt(variance)

    def at(self, moment_s: float, what: Callable[[], None]) -> None:
        """Let `what` happen at `moment_s`."""
        self._made += 1
        heapq.heappush(self._heap, (moment_s, self._made, what))

    def until(self, moment_s: float) -> None:
        """Let everything happen that comes before or at `moment_s`."""
        while self._heap and self._heap[0][0] <= moment_s:
            self.now_s, _, what = heapq.heappop(self._heap)
            what()
        self.now_s = moment_s

    # Pods

    def create(self, *, settled: bool = False) -> None:
        """Make a pod; a settled one has been Ready for long."""
        self._born += 1
        pod = Pod(f"tidegate-web-{self._born:05d}", self.now_s, self.speed)
        self.pods[pod.name] = pod
        start = self.world.start
        if settled and self.cluster.place(pod):
            pod.scheduled_s = pod.started_s = pod.ready_s = pod.created_s
            pod.given_cpu_s, pod.free_s = start.cpu_s, pod.created_s
            self.recorder.pod(self.now_s, "ADDED", pod)
            self.serving.append(pod)
            self._sample_later(pod)
            return
        self.recorder.pod(self.now_s, "ADDED", pod)
        self.pending.append(pod)
        self.at(self.now_s + start.schedule_s, self.schedule)

    def schedule(self) -> None:
        """Give pods without a node one, in the order of their age."""
        start = self.world.start
        for pod in [*self.pending]:
            if pod.created_s + start.schedule_s > self.now_s or not self.cluster.place(pod):
                continue
            self.pending.remove(pod)
            pod.scheduled_s = self.now_s
            self.recorder.pod(self.now_s, "MODIFIED", pod)
            self.at(self.now_s + self._spread(start.start_s), lambda pod=pod: self._started(pod))

    def _spread(self, mean_s: float) -> float:
        variance = math.log(1 + self.world.start.variation**2)
        return mean_s * self.starts.lognormvariate(-variance / 2, math.sqrt(variance))

    def _started(self, pod: Pod) -> None:
        if self.now_s >= pod.deleting_s:
            return
        pod.started_s = self.now_s
        busy_until_s = pod.work(self.now_s, self.world.start.cpu_s)
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        self._sample_later(pod)
        self.at(
            max(busy_until_s, self.now_s + self._spread(self.world.start.ready_s)), lambda: self._ready(pod)
        )

    def _ready(self, pod: Pod) -> None:
        if self.now_s >= pod.deleting_s:
            return
        pod.ready_s = self.now_s
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        self.at(self.now_s + self.world.start.endpoint_s, lambda: self._serve(pod))

    def _serve(self, pod: Pod) -> None:
        if self.now_s < pod.deleting_s:
            self.serving.append(pod)

    def delete(self, pod: Pod) -> None:
        """Tell a pod to go."""
        pod.deleting_s = self.now_s
        if pod in self.pending:
            self.pending.remove(pod)
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        drain = self.policy.web.drain

        def leave() -> None:
            if pod in self.serving:
                self.serving.remove(pod)
            done_s = max(pod.deleting_s + drain.pre_stop_s, pod.free_s)
            if pod.started_s == float("inf"):
                done_s = self.now_s
            self.at(
                max(self.now_s, min(done_s, pod.deleting_s + drain.termination_grace_s)),
                lambda: self._gone(pod),
            )

        self.at(self.now_s + self.world.start.endpoint_s, leave)

    def _gone(self, pod: Pod) -> None:
        pod.gone_s = self.now_s
        self.cluster.remove(pod, self.now_s)
        del self.pods[pod.name]
        self.recorder.pod(self.now_s, "DELETED", pod)
        self.totals.replica_s += self._within(pod.created_s, self.now_s)
        self.schedule()

    def _within(self, start_s: float, end_s: float) -> float:
        """Return the seconds of a span that lie in the time of the load."""
        return max(0.0, min(end_s, self.totals.length_s) - max(start_s, 0.0))

    # The load

    def request(self, now_s: float) -> None:
        """Serve one request that arrives now."""
        service = self.world.service
        self.totals.requests += 1
        if not self.serving:
            self.totals.failed += 1
            self.recorder.request(now_s, now_s, 503, None)
            return
        pod = self._chosen()
        cpu_s = self.costs.lognormvariate(*self._cost)
        self.totals.used_core_s += cpu_s
        ended_s = pod.work(now_s, cpu_s)
        if service.other_ms:
            ended_s += self.costs.expovariate(1000 / service.other_ms)
        if ended_s - now_s > service.timeout_s:
            self.totals.failed += 1
            self.recorder.request(now_s, now_s + service.timeout_s, 0, pod.name)
        else:
            self.recorder.request(now_s, ended_s, 200, pod.name)

    def _chosen(self) -> Pod:
        """Return the less busy of two pods taken by chance: Envoy's least request with its two choices."""
        count = len(self.serving)
        if count == 1:
            return self.serving[0]
        first = self.serving[int(self.balance.random() * count)]
        second = self.serving[int(self.balance.random() * count)]
        return second if second.free_s < first.free_s else first

    # Measuring and deciding

    def _sample_later(self, pod: Pod) -> None:
        pipeline = self.world.pipeline

        def sample() -> None:
            if self.now_s < pod.gone_s:
                pod.point = (self.now_s, pod.used_cpu_s(self.now_s))
                later()

        def later() -> None:
            self.at(self.now_s + self.jitter.uniform(pipeline.sample_least_s, pipeline.sample_most_s), sample)

        later()

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
        before, self.replicas = self.replicas, decision.desired_replicas
        if before != self.replicas and 0 <= self.now_s <= self.totals.length_s:
            self.totals.rescales += 1
        for _ in range(self.replicas - before):
            self.at(self.now_s + self.world.start.create_s, self.create)
        if self.replicas < before:
            self.at(self.now_s + self.world.start.create_s, self._shrink)
        self.at(self.now_s + self.world.controller.sync_s, self.sync)

    def _shrink(self) -> None:
        staying = [pod for pod in self.pods.values() if pod.deleting_s == float("inf")]
        # The ReplicaSet's order (pkg/controller/controller_utils.go, ActivePodsWithRanks): without a node
        # first, then those not Ready, then those Ready for the shortest time.
        staying.sort(
            key=lambda pod: (pod.node is not None, pod.is_ready(self.now_s), -min(pod.ready_s, 1e12))
        )
        for pod in staying[: max(0, len(staying) - self.replicas)]:
            self.delete(pod)

    def _seen(self) -> Observation:
        present = [pod for pod in self.pods.values() if pod.created_s <= self.now_s]
        active = sum(pod.deleting_s == float("inf") for pod in present)
        self.totals.most_replicas = max(self.totals.most_replicas, active)
        return Observation(
            t_ns=round((self.epoch_s + self.now_s) * NANOS),
            spec_replicas=self.replicas,
            status_replicas=active,
            pods=tuple(self._seen_pod(pod) for pod in present),
        )

    def _seen_pod(self, pod: Pod) -> SeenPod:
        started, ready = pod.started_s <= self.now_s, pod.is_ready(self.now_s)
        since_s = pod.ready_s if ready else pod.created_s
        return SeenPod(
            name=pod.name,
            phase="Running" if started else "Pending",
            ready=Ready.TRUE if ready else Ready.FALSE,
            ready_since_ns=math.floor(self.epoch_s + since_s) * NANOS,
            started_ns=math.floor(self.epoch_s + pod.scheduled_s) * NANOS if pod.node is not None else None,
            deleting=pod.deleting_s <= self.now_s,
            containers=(Container(CONTAINER, self._requests),),
            usage=usage(pod, self.epoch_s),
        )

    # Nodes

    def count_nodes(self) -> None:
        """Add the nodes' time up to now; called before each change."""
        upto_s = min(max(self.now_s, 0.0), self.totals.length_s)
        self.totals.node_s += len(self.cluster.pods_on) * (upto_s - self._nodes_counted_s)
        self._nodes_counted_s = upto_s

    def scan(self) -> None:
        """Let the cluster-autoscaler look."""
        nodes = self.world.nodes
        for _ in range(self.cluster.wanted(len(self.pending))):
            self.at(self.now_s + nodes.provision_s, self._node_came)
        self.count_nodes()
        for number in self.cluster.unneeded(self.now_s):
            self.recorder.node(self.now_s, "DELETED", number)
        self.at(self.now_s + nodes.scan_s, self.scan)

    def _node_came(self) -> None:
        self.count_nodes()
        self.recorder.node(self.now_s, "ADDED", self.cluster.add(self.now_s))
        self.schedule()
