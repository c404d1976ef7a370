"""A measured Run once more, simulated: its own arrivals, policy and objectives, beside what was measured.

Both Runs are read by the same code, so that a difference is one of the worlds and not of the reading.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.run import RunReader
from tidegate.run.hpa import hpa_series
from tidegate.run.percentile import nearest_rank
from tidegate.simulate.outcome import EPOCH_S, Outcome, run_policy
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.traces import Bin

PERCENTILES = (50.0, 90.0, 95.0, 99.0)
_SHOWN = 16
"""Moments of the trajectory in the table."""
NOTE = (
    "The arrivals are the measured intended starts, whatever made them: users who wait for an answer before "
    "they ask again would have asked at other times had the answers come sooner or later."
)


@dataclass(frozen=True, slots=True)
class Observed:
    """What a Run shows of the web pods and their requests, times in seconds since the load began."""

    length_s: float
    steps: tuple[tuple[float, int], ...]
    """Desired replicas from each moment on; the first at or before 0."""
    latency_ms: tuple[float, ...]
    """Of each request from its intended start, sorted."""
    failed: int

    def replicas_at(self, t_s: float) -> int:
        """Return the replicas that were asked for at `t_s`."""
        place = bisect_right(self.steps, t_s, key=lambda step: step[0])
        return self.steps[max(0, place - 1)][1]

    @property
    def replica_s(self) -> float:
        """Replicas asked for times seconds, over the load."""
        return sum(self.replicas_at(begin) * (end - begin) for begin, end in pairwise(_edges(self)))

    @property
    def peak(self) -> int:
        """Most replicas asked for during the load."""
        return max(self.replicas_at(edge_s) for edge_s in _edges(self)[:-1])

    def percentile_ms(self, percentile: float) -> float:
        """Return a percentile of the latency, milliseconds."""
        return nearest_rank(self.latency_ms, percentile)


@dataclass(frozen=True, slots=True)
class Replayed:
    """A measured Run and its simulation."""

    measured: Observed
    simulated: Observed
    outcome: Outcome

    @property
    def replica_error(self) -> float:
        """Mean distance of the two trajectories over the load, replicas."""
        edges = sorted({*_edges(self.measured), *_edges(self.simulated)})
        edges = [edge for edge in edges if edge <= self.measured.length_s]
        apart = sum(
            abs(self.measured.replicas_at(begin) - self.simulated.replicas_at(begin)) * (end - begin)
            for begin, end in pairwise(edges)
        )
        return apart / self.measured.length_s


def arrivals_of(run: RunReader) -> list[Bin]:
    """Return the intended starts of a Run's requests, from the beginning of its load to its end.

    Raises:
        TidegateError: it has no request, or no load window.
    """
    begin_s, end_s = _window(run)
    starts = run.window_requests()["intended_start_s"].to_list()
    if not starts:
        raise TidegateError("the Run has no requests to replay", where=str(run.path))
    # Nothing arrives in the last one: the load lasts until then.
    return [*(Bin(start_s - begin_s, 0.0, 1.0) for start_s in starts), Bin(end_s - begin_s, 0.0, 0.0)]


def replay(run: Path, world: World, *, runs: Path, seed: int = 1) -> Replayed:
    """Simulate a measured Run in `world`.

    Args:
        run: its folder.
        world: what is assumed.
        runs: folder in which the simulated Run's own folder is made.
        seed: of every chance.

    Raises:
        TidegateError: the Run cannot be read, has no load, or nothing of its autoscaler was recorded.
    """
    reader = RunReader(run)
    bins, plan = arrivals_of(reader), reader.plan
    measured = observed(reader, _window(reader)[0])
    name = f"replay-{plan.scenario}"
    outcome = run_policy(name, plan.policy, plan.slo, world, bins, runs=runs, seed=seed)
    return Replayed(measured, observed(RunReader(outcome.folder), EPOCH_S), outcome)


def observed(run: RunReader, begin_s: float) -> Observed:
    """Return what `run` shows.

    Args:
        run: a measured or a simulated Run.
        begin_s: the beginning of its load, unix seconds.

    Raises:
        TidegateError: nothing of its autoscaler was recorded.
    """
    points = [point for point in hpa_series(run) if point.desired > 0]
    if not points:
        raise TidegateError("the Run has no status of its autoscaler", where=str(run.path))
    steps = [(points[0].t_s - begin_s, points[0].desired)]
    for point in points[1:]:
        if point.desired != steps[-1][1]:
            steps.append((point.t_s - begin_s, point.desired))
    requests = run.window_requests()
    latency = (requests["end_s"] - requests["intended_start_s"]) * 1000
    window = _window(run)
    return Observed(
        length_s=window[1] - window[0],
        steps=tuple(steps),
        latency_ms=tuple(latency.sort().to_list()),
        failed=int((~requests["ok"]).sum()),
    )


def replay_rows(found: Replayed) -> list[tuple[str, str, str, str]]:
    """Return name, measured, simulated and error of each figure, then of the trajectory."""
    measured, simulated = found.measured, found.simulated
    rows = [
        _row("requests", len(measured.latency_ms), len(simulated.latency_ms), ""),
        _row("failed", measured.failed, simulated.failed, ""),
        *(
            _row(f"latency p{one:g}", measured.percentile_ms(one), simulated.percentile_ms(one), " ms")
            for one in PERCENTILES
        ),
        _row("replica-minutes", measured.replica_s / 60, simulated.replica_s / 60, ""),
        _row("replicas, most", measured.peak, simulated.peak, ""),
        _row("first rise after", _first_rise_s(measured), _first_rise_s(simulated), " s"),
        ("replicas, mean distance", "", "", f"{found.replica_error:.2f}"),
    ]
    for moment in range(_SHOWN + 1):
        t_s = measured.length_s * moment / _SHOWN
        here, there = measured.replicas_at(t_s), simulated.replicas_at(t_s)
        rows.append((f"replicas at {t_s:.0f} s", f"{here}", f"{there}", f"{there - here:+d}"))
    return rows


def _row(name: str, measured: float | None, simulated: float | None, unit: str) -> tuple[str, str, str, str]:
    if measured is None or simulated is None:
        return name, _figure(measured, unit), _figure(simulated, unit), "-"
    error = f"{100 * (simulated / measured - 1):+.1f} %" if measured else f"{simulated - measured:+g}"
    return name, _figure(measured, unit), _figure(simulated, unit), error


def _figure(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.4g}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _first_rise_s(found: Observed) -> float | None:
    for (_, before), (t_s, after) in pairwise(found.steps):
        if after > before and t_s > 0:
            return t_s
    return None


def _edges(found: Observed) -> Sequence[float]:
    inside = [t_s for t_s, _ in found.steps if 0 < t_s < found.length_s]
    return [0.0, *inside, found.length_s]


def _window(run: RunReader) -> tuple[float, float]:
    if run.plan.load_window_s is None:
        raise TidegateError(
            "the Run has no load window: its load never began", where=str(run.path), cure="replay another"
        )
    return run.plan.load_window_s
