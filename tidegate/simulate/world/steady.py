"""The autoscaler's decisions for a search: a sync that asks for what there is needs no rules.

With `behavior`, a recommendation of exactly the present replicas leaves them: the windows hold a change back
and never make one, and the policies limit a change. So does one of fewer while the window downwards holds one
that was not fewer, and one of more in the same way; and at a bound, one of what lies beyond it. Such a sync
only remembers its recommendation, which is noted here and given to the rules with the next one that may
change something.
"""

from __future__ import annotations

from tidegate.simulate.hpa import Controller, Memory, Spec, decide_with
from tidegate.simulate.hpa.arithmetic import ceil_to_int32, divide
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.evaluate import Invalid, Valid
from tidegate.simulate.hpa.memory import Recommendation
from tidegate.simulate.hpa.normalize import windows_s
from tidegate.simulate.hpa.pod_metrics import utilization_proposal, whole_percent
from tidegate.simulate.hpa.samples import InvalidMetricError
from tidegate.simulate.hpa.spec import NANOS, Metric, ResourceMetric
from tidegate.simulate.hpa.tolerance import Tolerance, tolerance_of


class SteadyDecisions:
    """Decides as `hpa.decide_with` does for an autoscaler with `behavior` and one target in percent.

    Args:
        spec: the autoscaler.
        controller: the controller's flags.

    Raises:
        ValueError: the autoscaler has no `behavior`, or other metrics.
    """

    def __init__(self, spec: Spec, controller: Controller) -> None:
        metric = spec.metrics[0]
        if spec.behavior is None or len(spec.metrics) != 1 or not isinstance(metric, ResourceMetric):
            raise ValueError("one resource metric and behavior are needed")
        if metric.utilization_percent is None:
            raise ValueError("the target must be a percentage")
        self._spec, self._controller = spec, controller
        self._metric, self._target = metric, metric.utilization_percent
        self._tolerance = tolerance_of(spec.behavior, controller)
        up_s, down_s = windows_s(spec.behavior, controller)
        self._up_ns, self._down_ns = up_s * NANOS, down_s * NANOS
        self._window_ns = max(self._up_ns, self._down_ns)
        self._memory = Memory()
        self._noted = list[tuple[int, int]]()
        """Replicas, and the time of the sync."""

    def replicas(self, current: int, census: Census | None, now_ns: int) -> int:
        """Return the replicas that one sync comes to.

        Args:
            current: replicas there are.
            census: what the pods use; None: no pod has a number.
            now_ns: the time of the sync.
        """
        metric = self._evaluated(current, census)
        if isinstance(metric, Valid) and self._keep(metric.replicas, current, now_ns):
            return current
        self._recall(now_ns)

        def evaluator(_metric: Metric, _tolerance: Tolerance) -> Valid | Invalid:
            return metric

        decision, self._memory = decide_with(
            self._spec, self._controller, self._memory, current, now_ns, evaluator
        )
        return decision.desired_replicas

    def keep(self, current: int, total: int, requested: int, now_ns: int) -> bool:
        """Whether one sync leaves the replicas as they are, where each of them is ready and has a number.

        If not, nothing is noted, and `replicas` is to be asked.

        Args:
            current: replicas there are, at least one.
            total: what they use together, in milli-units.
            requested: what they request together; more than 0.
            now_ns: the time of the sync.
        """
        ratio = divide(whole_percent(total, requested), self._target)
        raw = current if self._tolerance.holds(ratio) else ceil_to_int32(ratio * current)
        return self._keep(raw, current, now_ns)

    def _keep(self, raw: int, current: int, now_ns: int) -> bool:
        if (
            current
            and self._spec.min_replicas <= current <= self._spec.max_replicas
            and self._memory.recommendations is not None
            and self._stays(raw, current, now_ns)
        ):
            self._noted.append((raw, now_ns))
            return True
        return False

    def _evaluated(self, current: int, census: Census | None) -> Valid | Invalid:
        reason = "FailedGetResourceMetric"
        if census is None:
            return Invalid(self._metric, reason, "did not receive metrics for targeted pods")
        try:
            return Valid(self._metric, utilization_proposal(current, self._target, census, self._tolerance))
        except InvalidMetricError as error:
            return Invalid(self._metric, reason, str(error))

    def _stays(self, raw: int, current: int, now_ns: int) -> bool:
        """Whether `raw` leaves `current` as it is: a bound does, or a recent one stands against it."""
        fewer = raw < current
        if current == (self._spec.min_replicas if fewer else self._spec.max_replicas) or raw == current:
            return True
        after_ns = now_ns - (self._down_ns if fewer else self._up_ns)
        for replicas, t_ns in reversed(self._noted):
            if t_ns <= after_ns:
                break
            if replicas >= current if fewer else replicas <= current:
                return True
        for one in self._memory.recommendations or ():
            against = one.replicas >= current if fewer else one.replicas <= current
            if against and one.t_ns > after_ns:
                return True
        return False

    def _recall(self, now_ns: int) -> None:
        """Give the memory what was noted, without what no window reaches any more."""
        if not self._noted:
            return
        memory, oldest_ns = self._memory, now_ns - self._window_ns
        noted = (Recommendation(replicas, t_ns) for replicas, t_ns in self._noted)
        kept = [one for one in (*(memory.recommendations or ()), *noted) if one.t_ns >= oldest_ns]
        self._memory = Memory(tuple(kept), memory.up_events, memory.down_events, memory.conditions)
        self._noted.clear()
