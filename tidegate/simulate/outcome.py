"""What a simulated policy came to: cost, objectives, scale events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.models import ClusterConfig, Plan, Policy, Slo, Verdict, run_name
from tidegate.run import RunReader
from tidegate.simulate.estimate import Estimate
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.record import RunRecorder
from tidegate.simulate.world.simulation import simulate
from tidegate.simulate.world.totals import Totals
from tidegate.simulate.world.traces import Bin
from tidegate.verdict import judge

EPOCH_S = 1_767_225_600.0
"""Time 0 of a simulation as unix seconds, 2026-01-01 UTC: fixed, so that a seed gives the same Run."""
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One policy's result."""

    name: str
    folder: Path
    totals: Totals
    verdict: Verdict
    money: float
    requested_core_hours: float


def outcome_rows(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what to show of a Run, by name."""
    checks = [(check.name, _checked(check.measured, check.unit)) for check in outcome.verdict.checks[1:]]
    told = outcome.verdict.outcome.value.replace("_", " ")
    return [("verdict", told), *checks, *_sums(outcome.totals, outcome.requested_core_hours, outcome.money)]


def estimate_rows(found: Estimate, slo: Slo) -> list[tuple[str, str]]:
    """Return what to show of an estimate, by name."""
    checks = [("availability", _checked(found.availability_percent, "%"))]
    for met in found.latency:
        name = f"latency {met.objective.route_group} p{met.objective.percentile:g}"
        checks.append((name, _checked(met.measured_ms, "ms")))
    told = "would hold" if found.holds(slo) else "would not hold"
    return [("estimate", told), *checks, *_sums(found.totals, found.core_hours, found.money)]


def _sums(totals: Totals, core_hours: float, money: float) -> list[tuple[str, str]]:
    return [
        ("requests", f"{totals.requests:,}"),
        ("failed", f"{totals.failed:,}"),
        ("replicas, mean", f"{totals.replica_s / max(totals.length_s, 1e-9):.2f}"),
        ("replicas, most", f"{totals.most_replicas}"),
        ("scale events", f"{totals.rescales}"),
        ("hours", f"{totals.length_s / _HOUR_S:.3f}"),
        ("replica-hours", f"{totals.replica_s / _HOUR_S:.3f}"),
        ("core-hours requested", f"{core_hours:.3f}"),
        ("core-hours used", f"{totals.used_core_s / _HOUR_S:.3f}"),
        ("node-hours", f"{totals.node_s / _HOUR_S:.3f}"),
        ("money", f"{money:.4f}"),
    ]


def run_policy(
    name: str,
    policy: Policy,
    slo: Slo,
    world: World,
    bins: Sequence[Bin],
    *,
    runs: Path,
    seed: int = 1,
    scale: float = 1.0,
) -> Outcome:
    """Simulate `policy`, write the Run into a folder of its own below `runs`, and judge it.

    Raises:
        TidegateError: the folder is there already, or the version of the controller is not known.
    """
    length_s = max(one.start_s + one.width_s for one in bins)
    plan = Plan(
        run_id=run_name(EPOCH_S, f"simulated-{name}-seed{seed}"),
        created_s=EPOCH_S,
        scenario=f"simulated-{name}"[:100],
        scenario_parameters={"seed": seed, "scale": scale, "world": world.model_dump(mode="json")},
        load_window_s=(EPOCH_S, EPOCH_S + max(length_s, 1e-3)),
        policy=policy,
        slo=slo,
        cluster=ClusterConfig(),
        versions={"kubernetes": f"v{world.controller.version}", "simulated": "true"},
    )
    with RunRecorder(runs, plan, EPOCH_S, seed) as recorder:
        totals = simulate(policy, world, bins, recorder, seed=seed, scale=scale, epoch_s=EPOCH_S)
    core_hours = totals.replica_s * policy.web.cpu_request_m / 1000 / _HOUR_S
    money = core_hours * world.prices.core_hour + totals.node_s / _HOUR_S * world.prices.node_hour
    return Outcome(name, recorder.folder, totals, judge(RunReader(recorder.folder)), money, core_hours)


def _checked(measured: float | None, unit: str) -> str:
    return "-" if measured is None else f"{measured:.6g} {unit}"
