"""From the kit's policy to what the autoscaler is asked, as its chart would write it."""

from __future__ import annotations

from tidegate.errors import TidegateError
from tidegate.models import Policy, ScaleRules
from tidegate.simulate.hpa.release import release
from tidegate.simulate.hpa.spec import (
    Behavior,
    Controller,
    RatePolicy,
    ResourceMetric,
    Rules,
    Spec,
)
from tidegate.simulate.world.parameters import ControllerFlags, World
from tidegate.simulate.world.quota import Quota

_NANOS = 1_000_000_000


def spec_of_policy(policy: Policy) -> Spec:
    """Return the web autoscaler: CPU against its target, with behavior both ways.

    Raises:
        TidegateError: the policy scales on something that is not simulated.
    """
    hpa = policy.web.hpa
    if hpa.metric != "cpu":
        raise TidegateError(
            f"scaling by {hpa.metric} is not simulated",
            where="web.hpa.metric",
            cure="simulate the policy with metric: cpu",
        )
    return Spec(
        max_replicas=hpa.max_replicas,
        min_replicas=hpa.min_replicas,
        metrics=(ResourceMetric("cpu", utilization_percent=hpa.cpu_target_percent),),
        behavior=Behavior(_rules(hpa.scale_up, hpa.tolerance_up), _rules(hpa.scale_down, hpa.tolerance_down)),
    )


def controller_of_world(flags: ControllerFlags) -> Controller:
    """Return the controller.

    Raises:
        TidegateError: the version is not known.
    """
    return Controller(
        tolerance=flags.tolerance,
        downscale_stabilization_ns=round(flags.downscale_stabilization_s * _NANOS),
        cpu_initialization_ns=round(flags.cpu_initialization_s * _NANOS),
        initial_readiness_delay_ns=round(flags.readiness_delay_s * _NANOS),
        sync_period_ns=round(flags.sync_s * _NANOS),
        release=release(flags.version),
    )


def quota_of(policy: Policy, world: World) -> Quota:
    """Return what a web pod's CPU can do: one core for each of its processes, within its limit."""
    limit_m, cores = policy.web.cpu_limit_m, float(world.service.processes)
    period_s = world.service.cpu_period_ms / 1000
    limit = cores if limit_m is None else min(limit_m / 1000, cores)
    return Quota(cores, limit * period_s, period_s)


def _rules(rules: ScaleRules, tolerance: float | None) -> Rules:
    return Rules(
        select=rules.select_policy,
        policies=tuple(RatePolicy(rule.type, rule.value, rule.period_s) for rule in rules.policies),
        window_s=rules.stabilization_window_s,
        tolerance=tolerance,
    )
