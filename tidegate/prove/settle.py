"""Wait until the cluster is in the state that a measurement may start from."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.deploy.gateway import unanswered
from tidegate.errors import TidegateError
from tidegate.models.node_group import GROUP_LABEL
from tidegate.proc import run
from tidegate.run.format import WEB_COMPONENT

Say = Callable[[str], None]


@dataclass(frozen=True)
class Limits:
    """How long each wait may last, in seconds. Generous: shared machines are slow now and then."""

    gateway_s: float = 180.0
    metrics_s: float = 240.0
    calm_s: float = 420.0


def wait_until_calm(
    base: str, environment: Mapping[str, str], *, say: Say, limits: Limits | None = None
) -> None:
    """Return once the gateway serves, the HPA knows its metric and has no scaling left to do.

    A load that starts before the HPA has its first reading measures the metrics pipeline's start, not the
    policy: the reading shows `<unknown>` for some 40 s after a deployment.

    Raises:
        TidegateError: one of these did not come about in its time.
    """
    limits = limits or Limits()
    _wait(lambda: unanswered(base), limits.gateway_s, f"the gateway at {base} to serve", say)
    _wait(lambda: _hpa_problem(environment), limits.metrics_s, "the HPA's first reading", say)
    _wait(lambda: _unrest(environment), limits.calm_s, "the service to rest at its minimum", say)


def wait_for_nodes_to_go(
    environment: Mapping[str, str], fewest: int, *, say: Say, limit_s: float = 900.0
) -> None:
    """Return once no more than `fewest` nodes of groups are left: the next step shall have to add its own.

    Raises:
        TidegateError: they did not go in `limit_s` seconds.
    """

    def surplus() -> str:
        words = ["kubectl", "get", "nodes", "-l", GROUP_LABEL, "-o", "name"]
        answer = run(words, env={**os.environ, **environment}, timeout_s=30, check=False)
        left = len(answer.stdout.split())
        if answer.returncode != 0:
            return "the nodes cannot be read"
        return f"{left} are there" if left > fewest else ""

    _wait(surplus, limit_s, f"added nodes to go, all but {fewest}", say)


def _wait(problem: Callable[[], str], limit_s: float, what: str, say: Say) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        said = problem()
        if not said:
            return
        say(f"waiting for {what}: {said}")
        if time.monotonic() > deadline:
            raise TidegateError(
                f"waited {limit_s:.0f} s for {what}: {said}",
                cure='look at `kubectl get pods -A` after `eval "$(tidegate env)"`',
            )
        time.sleep(1.0)


def web_hpa(environment: Mapping[str, str]) -> dict[str, Any]:
    """The web HPA as the API server has it, the chart's own or KEDA's; empty when there is not just one."""
    # KEDA gives its HPA the labels of the ScaledObject.
    label = f"app.kubernetes.io/component={WEB_COMPONENT}"
    words = ["kubectl", "get", "hpa", "-l", label, "-n", "tidegate", "-o", "json"]
    answer = run(words, env={**os.environ, **environment}, timeout_s=30, check=False)
    found: list[dict[str, Any]] = json.loads(answer.stdout)["items"] if answer.returncode == 0 else []
    return found[0] if len(found) == 1 else {}


def _hpa_problem(environment: Mapping[str, str]) -> str:
    status: dict[str, Any] = web_hpa(environment).get("status", {})
    metrics: list[dict[str, Any]] = status.get("currentMetrics") or []
    return "" if any(_reading(metric) is not None for metric in metrics) else "<unknown>"


def _reading(metric: dict[str, Any]) -> int | str | None:
    """Return percent of the request, or the quantity of a metric of KEDA's; None for none."""
    source: dict[str, Any] = metric.get("containerResource") or metric.get("resource") or {}
    if source:
        return source.get("current", {}).get("averageUtilization")
    return metric.get("external", {}).get("current", {}).get("averageValue")


def _unrest(environment: Mapping[str, str]) -> str:
    hpa = web_hpa(environment)
    if not hpa:
        return "the HPA cannot be read"
    minimum, status = int(hpa["spec"].get("minReplicas", 1)), hpa["status"]
    current, desired = int(status.get("currentReplicas", 0)), int(status.get("desiredReplicas", 0))
    return (
        "" if current == desired == minimum else f"{current} replicas, {desired} desired, {minimum} at rest"
    )
