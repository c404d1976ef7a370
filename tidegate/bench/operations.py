"""What a service has to bear under load: more pods, fewer pods, other pods. And when each is through."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from tidegate.bench.floor import Floor, patch, patiently
from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy, ScaleRule, ScaleRules
from tidegate.prove.credentials import NAMESPACE
from tidegate.run.format import WEB_COMPONENT, WEB_NAME
from tidegate.run.objects import condition, integer, text
from tidegate.run.pods import is_ready

DEPLOYMENT = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{WEB_NAME}"
WEB_PODS = f"app.kubernetes.io/component={WEB_COMPONENT}"
RESTARTED_BY = "kubectl-rollout"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
SYNC_S = 15.0
"""The autoscaler looks every 15 s (kube-controller-manager, --horizontal-pod-autoscaler-sync-period)."""
_POD_START_S = 20.0
"""What a pod on shared cores usually takes from made to Ready; only for what may be expected."""
_PATIENCE_S = 300.0
"""Added to every limit: shared machines are slow now and then, and a limit is for what never ends."""
_NODES_S = 600.0
"""Added where nodes must come first."""

Problem = Callable[[], str]
"""What an operation still waits for, in words; empty once it is through. It may raise TidegateError where the
API server does not answer just now."""


class Kind(StrEnum):
    """What is done."""

    OUT = "scale_out"
    IN = "scale_in"
    UPDATE = "rolling_update"


@dataclass(frozen=True)
class Moved:
    """A workload whose floor goes up and down.

    Args:
        floor: where it stands.
        high: the raised floor.
        low: the lowered one.
    """

    floor: Floor
    high: int
    low: int


class Operations:
    """Begins operations on a deployed service.

    Args:
        cluster: its API.
        web: the web pods' floor.
        others: floors that are moved with it, and whose pods nobody waits for.
        pace: how fast the web pods' floor goes up. An autoscaler below its floor goes there at once and asks
            no rule (upstream's horizontal.go, reconcileAutoscaler), so all pods would start together, as no
            load makes them.
        clock: seconds.
    """

    def __init__(
        self,
        cluster: Cluster,
        web: Moved,
        others: Sequence[Moved],
        pace: ScaleRules,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster, self._web, self._others = cluster, web, others
        self._pace, self._clock = pace, clock

    def begin(self, kind: Kind) -> Problem:
        """Ask for it, and return what tells whether it is through.

        Raises:
            TidegateError: the API server refuses.
        """
        if kind is Kind.UPDATE:
            return self._update()
        for moved in self._others:
            moved.floor.move(moved.high if kind is Kind.OUT else moved.low)
        if kind is Kind.OUT:
            return self._out()
        self._web.floor.move(self._web.low)
        return self._not_in

    def pods(self) -> list[dict[str, Any]]:
        """Return the web pods that have not ended, those that are told to go too.

        Raises:
            TidegateError: they cannot be read.
        """
        found = self._cluster.pods(NAMESPACE, WEB_PODS)
        return [pod for pod in found if text(pod, "status", "phase") not in ("Succeeded", "Failed")]

    def _out(self) -> Problem:
        way = list(way_up(self._pace, self._web.low, self._web.high))
        next_s = -math.inf

        def step() -> None:
            nonlocal next_s
            if way and self._clock() >= next_s:
                floor, rest_s = way[0]
                self._web.floor.move(floor)
                del way[0]
                next_s = self._clock() + rest_s

        def problem() -> str:
            step()
            return self._not_out()

        step()
        return problem

    def _not_out(self) -> str:
        pods = self.pods()
        ready = sum(map(is_ready, pods))
        if ready >= self._web.high:
            return ""
        stuck = [why for pod in pods if (why := _unschedulable(pod))]
        return f"{ready} of {self._web.high} Ready" + (
            f"; {len(stuck)} have no node: {stuck[0]}" if stuck else ""
        )

    def _not_in(self) -> str:
        wanted = integer(self._deployment(), "spec", "replicas")
        if wanted is None or wanted > self._web.low:
            return f"the autoscaler keeps {wanted} replicas, {self._web.low} would do"
        left = len(self.pods())
        return f"{left} pods are there, {wanted} stay" if left > wanted else ""

    def _update(self) -> Problem:
        old = {text(pod, "metadata", "uid") for pod in patiently(self.pods)}
        # What `kubectl rollout restart` writes, to the second.
        now = datetime.now(UTC).isoformat(timespec="seconds")
        template = {"metadata": {"annotations": {RESTARTED_AT: now}}}
        done = patch(self._cluster, DEPLOYMENT, {"spec": {"template": template}}, manager=RESTARTED_BY)
        generation = integer(done, "metadata", "generation") or 0

        def problem() -> str:
            deployment = self._deployment()
            wanted = integer(deployment, "spec", "replicas")
            seen = integer(deployment, "status", "observedGeneration") or 0
            counts = [
                integer(deployment, "status", name)
                for name in ("replicas", "updatedReplicas", "availableReplicas")
            ]
            left = sum(text(pod, "metadata", "uid") in old for pod in self.pods())
            if seen < generation:
                return "nobody has looked at it yet"
            if left or any(count != wanted for count in counts):
                return f"{counts[1] or 0} of {wanted} are new, {left} old ones are there"
            return ""

        return problem

    def _deployment(self) -> dict[str, Any]:
        found = self._cluster.ask("GET", DEPLOYMENT)
        if found is None:
            raise TidegateError("the web Deployment is gone", where=WEB_NAME, cure="run `tidegate up`")
        return found


def _unschedulable(pod: dict[str, Any]) -> str:
    found = condition(pod, "PodScheduled")
    return text(found, "message") if found is not None and found.get("status") == "False" else ""


@dataclass(frozen=True)
class Times:
    """How long operations take by the policy, seconds."""

    expected: dict[Kind, float]
    """What one takes as a rule; below it there is no use in beginning one."""
    limit: dict[Kind, float]
    """After which one will never end."""


def times(policy: Policy, high: int, low: int) -> Times:
    """Return what the policy makes of a way from `low` to `high` web pods, back, and an update of `low`."""
    hpa, drain = policy.web.hpa, policy.web.drain
    leave_s = float(drain.termination_grace_s)
    down_s = hpa.scale_down.stabilization_window_s + way_down_s(hpa.scale_down, high, low) + SYNC_S
    # maxSurge 25 %, rounded up, of the pods there are; none may be missing.
    update_s = math.ceil(low / math.ceil(low / 4)) * _POD_START_S
    nodes_s = _NODES_S if policy.needs_cluster_autoscaler else 0.0
    up_s = sum(rest_s for floor, rest_s in way_up(hpa.scale_up, low, high) if floor < high)
    expected = {
        Kind.OUT: up_s + SYNC_S + 2 * _POD_START_S,
        Kind.IN: down_s + drain.pre_stop_s + SYNC_S,
        Kind.UPDATE: update_s + drain.pre_stop_s,
    }
    slowly = {
        Kind.OUT: up_s + SYNC_S + high * _POD_START_S + nodes_s,
        Kind.IN: down_s + leave_s,
        Kind.UPDATE: 3 * update_s + leave_s + nodes_s,
    }
    return Times(expected, {kind: seconds + _PATIENCE_S for kind, seconds in slowly.items()})


def way_up(rules: ScaleRules, low: int, high: int) -> Iterator[tuple[int, float]]:
    """Yield the numbers of replicas on the way from `low` to `high` at the pace of `rules`, each with the
    seconds until the next one may follow. Where they allow no step, the way is one step.
    """
    choose = min if rules.select_policy == "Min" else max
    replicas = low
    while replicas < high:
        step, period_s = choose((_step_up(rule, replicas), float(rule.period_s)) for rule in rules.policies)
        replicas = high if rules.select_policy == "Disabled" else min(high, replicas + step)
        yield replicas, max(period_s, SYNC_S)


def _step_up(rule: ScaleRule, replicas: int) -> int:
    """Return how many pods a rule adds; percent are rounded up."""
    return rule.value if rule.type == "Pods" else max(1, math.ceil(replicas * rule.value / 100))


def way_down_s(rules: ScaleRules, high: int, low: int) -> float:
    """Return the seconds that `rules` take from `high` to `low` replicas; their first step is free.

    Raises:
        ValueError: they allow no step at all.
    """
    if rules.select_policy == "Disabled":
        raise ValueError("scaling in is disabled")
    choose = min if rules.select_policy == "Min" else max
    replicas, took_s = high, 0.0
    while replicas > low:
        step, period_s = choose((_step(rule, replicas), float(rule.period_s)) for rule in rules.policies)
        replicas -= step
        took_s += max(period_s, SYNC_S) if replicas > low else 0.0
    return took_s


def _step(rule: ScaleRule, replicas: int) -> int:
    """Return how many pods a rule lets go; what is left is rounded down, so percent take one or more."""
    if rule.type == "Pods":
        return rule.value
    return replicas - math.floor(replicas * max(0.0, 1 - rule.value / 100))
