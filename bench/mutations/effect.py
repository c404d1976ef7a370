"""When a change of the stack is in effect: what was written, and what has come of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tidegate.chaos.cluster import Cluster
from tidegate.chaos.experiment import TARGET_NAMESPACE
from tidegate.errors import TidegateError
from tidegate.run.format import WEB_COMPONENT, WEB_NAME
from tidegate.run.objects import dig, integer, items
from tidegate.run.pods import is_ready

_IN = f"namespaces/{TARGET_NAMESPACE}"
DEPLOYMENT = f"/apis/apps/v1/{_IN}/deployments/{WEB_NAME}"
AUTOSCALER = f"/apis/autoscaling/v2/{_IN}/horizontalpodautoscalers/{WEB_NAME}"
BUDGET = f"/apis/policy/v1/{_IN}/poddisruptionbudgets/{WEB_NAME}"
RETRIES = tuple(
    f"/apis/gateway.envoyproxy.io/v1alpha1/{_IN}/backendtrafficpolicies/{WEB_NAME}{part}"
    for part in ("", "-get")
)
"""The gateway's rules for all requests, and for reads."""
LIMIT_S = 600.0
"""Seconds that a change may take: a rollout of a dozen pods one after another on a busy machine."""
_TIMES = 2


def unsettled(cluster: Cluster) -> str:
    """Return what is not yet as it was written, in a few words; empty when all is."""
    return _rollout(cluster) or _size(cluster) or _budget(cluster) or _gateway(cluster)


def wait_until_settled(
    cluster: Cluster, say: Callable[[str], None], *, limit_s: float = LIMIT_S, pause_s: float = 1.0
) -> None:
    """Wait until nothing is unsettled, seen twice in a row: controllers take turns.

    Raises:
        TidegateError: it was not so in `limit_s` seconds.
    """
    ends_s, calm, said = time.monotonic() + limit_s, 0, ""
    while calm < _TIMES:
        problem = unsettled(cluster)
        calm = 0 if problem else calm + 1
        if problem and time.monotonic() > ends_s:
            raise TidegateError(
                f"waited {limit_s:g} s for the stack to settle: {problem}",
                cure='look at `kubectl get pods -n tidegate` after `eval "$(tidegate env)"`',
            )
        if problem not in ("", said):
            say(problem)
            said = problem
        time.sleep(pause_s)


def _rollout(cluster: Cluster) -> str:
    web = cluster.ask("GET", DEPLOYMENT)
    if web is None:
        return "the Deployment is not there"
    wanted = integer(web, "spec", "replicas") or 0
    if (integer(web, "status", "observedGeneration") or 0) < (integer(web, "metadata", "generation") or 0):
        return "the Deployment's controller has not seen it"
    renewed = integer(web, "status", "updatedReplicas") or 0
    pods = cluster.pods(selector=f"app.kubernetes.io/component={WEB_COMPONENT}")
    ready = sum(is_ready(pod) for pod in pods)
    if renewed != wanted or len(pods) != wanted or ready != wanted:
        return f"{renewed} of {wanted} web pods are as written, {ready} Ready, {len(pods)} there"
    return ""


def _size(cluster: Cluster) -> str:
    hpa = cluster.ask("GET", AUTOSCALER)
    if hpa is None:
        return "the autoscaler is not there"
    least = integer(hpa, "spec", "minReplicas") or 1
    now = [integer(hpa, "status", f"{name}Replicas") or 0 for name in ("current", "desired")]
    return "" if now == [least, least] else f"{now[0]} replicas, {now[1]} desired, {least} at rest"


def _budget(cluster: Cluster) -> str:
    budget = cluster.ask("GET", BUDGET)
    if budget is None:
        return ""
    seen = integer(budget, "status", "observedGeneration") or 0
    return "" if seen >= (integer(budget, "metadata", "generation") or 0) else "the budget has not been seen"


def _gateway(cluster: Cluster) -> str:
    for path in RETRIES:
        rules = cluster.ask("GET", path)
        accepted = [
            condition
            for ancestor in items(rules, "status", "ancestors")
            for condition in items(ancestor, "conditions")
            if dig(condition, "type") == "Accepted" and dig(condition, "status") == "True"
        ]
        seen = max((integer(each, "observedGeneration") or 0 for each in accepted), default=0)
        if rules is not None and seen < (integer(rules, "metadata", "generation") or 0):
            return "the gateway has not taken its rules"
    return ""
