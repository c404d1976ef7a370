"""Step the offered load of a deployed stack, again and again, and time how long the pods take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.bench.figures import ScaleFigures, ScaleRun, scale_run, together
from tidegate.errors import TidegateError
from tidegate.load.catalogue import plan_scenario
from tidegate.models.policy import Policy
from tidegate.prepare import Site
from tidegate.prove.job import measure
from tidegate.prove.settle import Limits, wait_for_nodes_to_go

SCENARIO = "spike"
_COOL_S = 1.0
_REST_S = 420.0
"""Seconds the way down may take beyond the policy's own stabilization."""


@dataclass(frozen=True)
class Step:
    """What is asked of every run.

    Args:
        from_replicas: web pods at rest.
        to_replicas: web pods that the step must end with.
        base_users: users before the step; few enough for `from_replicas`.
        users: users of the step; enough to keep `to_replicas` busy above the target.
        warm_s: seconds of steady load before it.
        hold_s: seconds it is held: the longest time that can be measured.
    """

    from_replicas: int
    to_replicas: int
    base_users: int
    users: int
    warm_s: float
    hold_s: float

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the scenario."""
        return {
            "base_users": str(self.base_users),
            "spike_users": str(self.users),
            "warm_s": f"{self.warm_s:g}",
            "spike_s": f"{self.hold_s:g}",
            "cool_s": f"{_COOL_S:g}",
        }


def require_policy(policy: Policy, step: Step) -> None:
    """Refuse a policy under which the step cannot be measured.

    Raises:
        TidegateError: its floor or ceiling is not that of the step.
    """
    for key, has, wanted in (
        ("min_replicas", policy.web.hpa.min_replicas, step.from_replicas),
        ("max_replicas", policy.web.hpa.max_replicas, step.to_replicas),
    ):
        if has != wanted:
            raise TidegateError(
                f"the stack's {key} is {has}, the step needs {wanted}",
                where=f"tidegate:policy.web.hpa.{key}",
                cure=f"set it to {wanted} and run `tidegate up`",
            )


def bench_scale(
    site: Site,
    step: Step,
    *,
    count: int,
    runs: Path,
    console: Console,
    told: Callable[[ScaleRun], None] = lambda _: None,
) -> ScaleFigures:
    """Measure the step `count` times. Each leaves a Run of its own.

    Args:
        site: the deployed stack.
        step: what is asked of every run.
        count: how many runs.
        runs: folder in which their folders are made.
        console: where progress goes.
        told: called with each run's figures.

    Raises:
        TidegateError: the policy does not fit, or a run could not be made.
        KeyboardInterrupt: the user broke it off; the Runs so far stay.
    """
    policy = site.config.policy
    require_policy(policy, step)
    plan_scenario(SCENARIO, step.parameters())
    limits = Limits(calm_s=policy.web.hpa.scale_down.stabilization_window_s + _REST_S)
    found: list[ScaleRun] = []
    for number in range(1, count + 1):
        console.print(f"Run {number} of {count}", highlight=False)
        if policy.needs_cluster_autoscaler:
            fewest = sum(group.min_nodes for group in policy.node_groups)
            wait_for_nodes_to_go(site.environment, fewest, say=console.log)
        folder, _ = measure(
            site,
            SCENARIO,
            step.parameters(),
            runs=runs,
            min_peak=step.to_replicas,
            tail_s=0.0,
            console=console,
            limits=limits,
        )
        found.append(scale_run(folder, step.to_replicas))
        told(found[-1])
    return together(found, step.from_replicas, step.to_replicas)
