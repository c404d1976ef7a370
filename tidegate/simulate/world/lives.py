"""Pods from their making to their end, and the nodes they run on.

Requests need no event each where a pod has its cores to itself: it takes them in the order in which they come
(see `pod`).
"""

from __future__ import annotations

import math

from tidegate.models import Policy
from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.clock import Clock
from tidegate.simulate.world.cluster import Cluster
from tidegate.simulate.world.cores import Cores
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.policy import quota_of
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.serving import Serving
from tidegate.simulate.world.totals import LEAD_S, Totals

_WARM = 1_000_000
"""Requests that a pod of the beginning has served before."""
_DRAINED_S = 0.25
"""How often a pod that is told to go looks if its requests are answered, where cores are shared."""


class Lives(Clock):
    """Pods and nodes; `Engine` says how many pods there are to be.

    Args:
        policy: what scales the web pods.
        world: what is assumed about everything else.
        seed: of every chance.
        recorder: is told.
    """

    def __init__(self, policy: Policy, world: World, seed: int, recorder: Recorder) -> None:
        super().__init__(-LEAD_S)
        self.policy, self.world, self.recorder = policy, world, recorder
        self.totals = Totals()
        self.pods: dict[str, Pod] = {}
        self.pending: list[Pod] = []
        self.template = 0
        """Version of the pods that are made now."""
        self.starts, self.jitter = chance(seed, "starts"), chance(seed, "jitter")
        request_m = policy.web.cpu_request_m
        self.cluster = Cluster(world.nodes, policy.web.pod_cpu_request_m)
        self.cores = Cores(world, quota_of(policy, world), request_m, self.at)
        self.serving = Serving(world, seed, recorder, self.totals, self.cores)
        self._born = 0
        self._nodes_counted_s = 0.0

    def create(self, *, settled: bool = False) -> None:
        """Make a pod; a settled one has been Ready for long."""
        self._born += 1
        pod = Pod(f"tidegate-web-{self._born:05d}", self.now_s, self.cores.quota(), self.template)
        self.pods[pod.name] = pod
        start = self.world.start
        if settled and self.cluster.place(pod):
            pod.scheduled_s = pod.started_s = pod.ready_s = pod.created_s
            pod.before_s, pod.requests = start.cpu_s, _WARM
            self.cores.join(pod)
            self.recorder.pod(self.now_s, "ADDED", pod)
            self.serving.pods.append(pod)
            self.sampled_later(pod)
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
            self.cores.join(pod)
            self._start(pod)

    def _start(self, pod: Pod) -> None:
        """Start a pod's containers: time that passes anyhow, and work of the node, whatever takes longer."""
        least_s = self.now_s + self._spread(self.world.start.start_s)
        self.cores.start(
            pod, self.now_s, lambda: self.at(max(self.now_s, least_s), lambda: self._started(pod))
        )

    def _spread(self, mean_s: float) -> float:
        variance = math.log(1 + self.world.start.variation**2)
        return mean_s * self.starts.lognormvariate(-variance / 2, math.sqrt(variance))

    def _started(self, pod: Pod) -> None:
        if self.now_s >= pod.deleting_s:
            return
        pod.started_s = self.now_s
        start, least_s = self.world.start, self.now_s + self._spread(self.world.start.ready_s)
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        self.sampled_later(pod)

        def worked(now_s: float) -> None:
            self.at(max(now_s, least_s), lambda: self._ready(pod))

        if pod.share is None:
            worked(pod.work(self.now_s, start.cpu_s))
        else:
            self.cores.work(pod, self.now_s, start.cpu_s, worked)

    def _ready(self, pod: Pod) -> None:
        if self.now_s >= pod.deleting_s:
            return
        pod.ready_s = self.now_s
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        self.at(self.now_s + self.world.start.endpoint_s, lambda: self._serve(pod))
        self.changed(pod)

    def _serve(self, pod: Pod) -> None:
        if self.now_s < pod.deleting_s:
            self.serving.pods.append(pod)

    def delete(self, pod: Pod) -> None:
        """Tell a pod to go."""
        pod.deleting_s = self.now_s
        if pod in self.pending:
            self.pending.remove(pod)
        self.recorder.pod(self.now_s, "MODIFIED", pod)
        self.at(self.now_s + self.world.start.endpoint_s, lambda: self._drain(pod))

    def _drain(self, pod: Pod) -> None:
        """Take a pod from the load balancer, and let it go when its work is done or its time is over."""
        drain = self.policy.web.drain
        if pod in self.serving.pods:
            self.serving.pods.remove(pod)
        done_s = max(pod.deleting_s + drain.pre_stop_s, pod.free_s)
        if pod.started_s == float("inf"):
            done_s = self.now_s
        most_s = pod.deleting_s + drain.termination_grace_s

        def leave() -> None:
            if pod.waiting and self.now_s < most_s:
                self.at(min(most_s, self.now_s + _DRAINED_S), leave)
            else:
                self._gone(pod)

        self.at(max(self.now_s, min(done_s, most_s)), leave)

    def _gone(self, pod: Pod) -> None:
        pod.gone_s = self.now_s
        self.cores.drop(pod, self.now_s)
        self.serving.cut(pod, self.now_s)
        self.cluster.remove(pod)
        del self.pods[pod.name]
        self.recorder.pod(self.now_s, "DELETED", pod)
        self.totals.replica_s += self._within(pod.created_s, self.now_s)
        self.schedule()
        self.changed(pod)

    def changed(self, pod: Pod) -> None:
        """Be told that `pod` became Ready or went; nothing to do here."""

    def reconcile(self) -> None:
        """Make as many pods as there are to be; nothing to do here."""

    def _within(self, start_s: float, end_s: float) -> float:
        """Return the seconds of a span that lie in the time of the load."""
        return max(0.0, min(end_s, self.totals.length_s) - max(start_s, 0.0))

    def sampled_later(self, pod: Pod) -> None:
        """Let the kubelet sample `pod`, again and again."""
        pipeline = self.world.pipeline

        def sample() -> None:
            if self.now_s < pod.gone_s:
                idle_s = (self.now_s - pod.started_s) * self.world.service.idle_cpu_m / 1000
                pod.point = (self.now_s, pod.used_cpu_s(self.now_s) + idle_s)
                later()

        def later() -> None:
            self.at(self.now_s + self.jitter.uniform(pipeline.sample_least_s, pipeline.sample_most_s), sample)

        later()

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
        gone, moving = self.cluster.look(self.now_s)
        for number in gone:
            self.recorder.node(self.now_s, "DELETED", number)
        for number in moving:
            for name in sorted(self.cluster.pods_on[number]):
                if self.pods[name].deleting_s == float("inf"):
                    self.delete(self.pods[name])
            self.reconcile()
        self.at(self.now_s + nodes.scan_s, self.scan)

    def _node_came(self) -> None:
        self.count_nodes()
        self.recorder.node(self.now_s, "ADDED", self.cluster.add(self.now_s))
        self.schedule()
