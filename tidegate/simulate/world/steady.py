"""The autoscaler's decisions for a search: a sync that asks for what there is needs no rules.

With `behavior`, a recommendation of exactly the present replicas leaves them: the windows hold a change back
and never make one, and the policies limit a change. So does one of fewer while the window downwards holds one
that was not fewer, and one of more in the same way. Such a sync only remembers its recommendation, which is
noted here and given to the rules with the next one that may change something.
"""

from __future__ import annotations

from tidegate.simulate.hpa import Controller, Memory, Spec, decide_with
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.evaluate import Invalid, Valid
from tidegate.simulate.hpa.memory import Recommendation
from tidegate.simulate.hpa.normalize import windows_s
from tidegate.simulate.hpa.pod_metrics import utilization_proposal
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
        self._noted = list[Recommendation]()

    def replicas(self, current: int, census: Census | None, now_ns: int) -> int:
        """Return the replicas that one sync comes to.

        Args:
            current: replicas there are.
            census: what the pods use; None: no pod has a number.
            now_ns: the time of the sync.
        """
        metric = self._evaluated(current, census)
        inside = self._spec.min_replicas <= current <= self._spec.max_replicas
        if (
            isinstance(metric, Valid)
            and inside
            and current
            and self._memory.recommendations is not None
            and self._stays(metric.replicas, current, now_ns)
        ):
            self._noted.append(Recommendation(metric.replicas, now_ns))
            return current
        self._recall(now_ns)

        def evaluator(_metric: Metric, _tolerance: Tolerance) -> Valid | Invalid:
            return metric

        decision, self._memory = decide_with(
            self._spec, self._controller, self._memory, current, now_ns, evaluator
        )
        return decision.desired_replicas

    def _evaluated(self, current: int, census: Census | None) -> Valid | Invalid:
        reason = "FailedGetResourceMetric"
        if census is None:
            return Invalid(self._metric, reason, "did not receive metrics for targeted pods")
        try:
            return Valid(self._metric, utilization_proposal(current, self._target, census, self._tolerance))
        except InvalidMetricError as error:
            return Invalid(self._metric, reason, str(error))

    def _stays(self, raw: int, current: int, now_ns: int) -> bool:
        """Whether `raw` leaves `current` as it is: the same, or a recent one stands against it."""
        if raw == current:
            return True
        fewer = raw < current
        after_ns = now_ns - (self._down_ns if fewer else self._up_ns)
        for one in reversed(self._noted):
            if one.t_ns <= after_ns:
                break
            if one.replicas >= current if fewer else one.replicas <= current:
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
        kept = [one for one in (*(memory.recommendations or ()), *self._noted) if one.t_ns >= oldest_ns]
        self._memory = Memory(tuple(kept), memory.up_events, memory.down_events, memory.conditions)
        self._noted.clear()
