"""Write a simulation as a Run, so that lag, verdict and report read it like any other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tidegate.models import Plan
from tidegate.run import MetricRow, RequestRow, RunWriter, labels_text, metric_writer, new_run, request_writer
from tidegate.run.format import WEB_COMPONENT
from tidegate.run.records import RecordType
from tidegate.simulate.hpa import Decision
from tidegate.simulate.world import objects
from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.measured import cores
from tidegate.simulate.world.pod import Pod

_TYPES: dict[str, RecordType] = {"ADDED": "ADDED", "MODIFIED": "MODIFIED", "DELETED": "DELETED"}


class RunRecorder:
    """Writes what it is told into a new Run.

    Routes are those of the SLO, each as likely as another: the simulation knows one kind of request. Times
    are those at which things happen; a real recorder sees them some milliseconds later.
    """

    def __init__(self, root: Path, plan: Plan, epoch_s: float, seed: int) -> None:
        self.plan, self.epoch_s = plan, epoch_s
        self.folder = new_run(root, plan)
        # The age of a row is its writer's own time, which a simulation does not have.
        self._requests = request_writer(self.folder, "simulation", clock=lambda: 0.0)
        self._samples = metric_writer(self.folder, "simulation", clock=lambda: 0.0)
        self._writer = RunWriter(self.folder)
        self._grace_s = plan.policy.web.drain.termination_grace_s
        self._routes: Sequence[str] = sorted(plan.slo.route_groups()) or ["GET /"]
        self._route = chance(seed, "routes")
        self._before: objects.Object | None = None
        self._count = 0

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        """Write a request."""
        route = self._routes[int(self._route.random() * len(self._routes))]
        ok = status == 200
        error = None if ok else f"HTTP {status}" if status else "timeout"
        arrived_s += self.epoch_s
        self._count += 1
        self._requests.append(
            RequestRow(
                intended_start_s=arrived_s,
                start_s=arrived_s,
                end_s=self.epoch_s + ended_s,
                method=route.split(" ")[0],
                route=route,
                status=status,
                ok=ok,
                error=error,
                pod=pod,
                request_id=f"simulated-{self._count}",
                user=-1,
                bytes=0,
            )
        )

    def pod(self, now_s: float, event: str, pod: Pod) -> None:
        """Write a pod's change."""
        self._cluster(
            now_s, _TYPES[event], "Pod", objects.pod_object(pod, now_s, self.epoch_s, self._grace_s)
        )

    def node(self, now_s: float, event: str, number: int) -> None:
        """Write a node's coming or going."""
        self._cluster(now_s, _TYPES[event], "Node", objects.node_object(number))

    def sampled(self, now_s: float, pod: Pod) -> None:
        """Write a sample when it becomes visible."""
        found = cores(pod)
        if found is None:
            return
        end_s, window_s, used = found
        node = objects.node_name(pod.node) if pod.node is not None else ""
        labels = labels_text({"pod": pod.name, "container": WEB_COMPONENT, "node": node})
        end_s, now_s = self.epoch_s + end_s, self.epoch_s + now_s
        self._samples.append(MetricRow(end_s, now_s, "pod_cpu_cores", labels, used, window_s))

    def decided(self, now_s: float, decision: Decision) -> None:
        """Write what a sync changed: the Deployment, the Event, the autoscaler's status."""
        if decision.desired_replicas != decision.spec_replicas:
            self._cluster(
                now_s, "MODIFIED", "Deployment", objects.deployment_object(decision.desired_replicas)
            )
            event = objects.rescale_event(decision, now_s, self.epoch_s)
            self._cluster(now_s, "ADDED", "Event", event)
        status = objects.hpa_object(decision, self.plan.policy)
        if self._before is None:
            self._cluster(now_s, "SNAPSHOT", "Deployment", objects.deployment_object(decision.spec_replicas))
        if status != self._before:
            kind: RecordType = "SNAPSHOT" if self._before is None else "MODIFIED"
            self._cluster(now_s, kind, "HorizontalPodAutoscaler", status)
            self._before = status

    def resized(self, now_s: float, replicas: int) -> None:
        """Write the Deployment after a change that is not the autoscaler's."""
        self._cluster(now_s, "MODIFIED", "Deployment", objects.deployment_object(replicas))

    def _cluster(self, now_s: float, event: RecordType, kind: str, obj: objects.Object) -> None:
        self._writer.cluster(event, kind, obj, received_s=self.epoch_s + now_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.close()
        self._samples.close()
        self._writer.close()


class Silent:
    """Records nothing: for those who only want the sums."""

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        """Ignore it."""

    def pod(self, now_s: float, event: str, pod: Pod) -> None:
        """Ignore it."""

    def sampled(self, now_s: float, pod: Pod) -> None:
        """Ignore it."""

    def decided(self, now_s: float, decision: Decision) -> None:
        """Ignore it."""

    def resized(self, now_s: float, replicas: int) -> None:
        """Ignore it."""

    def node(self, now_s: float, event: str, number: int) -> None:
        """Ignore it."""
