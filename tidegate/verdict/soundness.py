"""What may make a measurement doubtful: the generator, the recorder, or a torn record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import polars as pl

from tidegate.run import Note, RunReader, start_delays
from tidegate.run.format import CLUSTER_FILE, METRICS_DIR, REQUESTS_DIR
from tidegate.run.percentile import nearest_rank

GENERATOR_LAG_MS = 250.0
"""Generator's own delay at p99 above which its figures are as much about itself as about the service."""
GENERATOR_CPU_CORES = 0.9
"""Cores of one generating process above which answers wait for it: it drives one at most."""
GENERATOR_CPU_SHARE = 0.9
"""Share of its CPU limit above which the kernel holds a generator's container back, and answers wait."""
GENERATOR_CPU_PERCENTILE = 90.0
"""It may be that busy in a tenth of the samples: starting and logging in all users is short and hard work."""
FEWEST_CPU_SAMPLES = 10
"""Samples (5 s) from which CPU is judged; a shorter load is nothing but its start."""
GENERATOR_CLOCK_S = 0.5
"""Seconds that a generator's clock may be off this machine's. A load from several machines begins at one
moment of unix time, so a step of it is smeared by as much as they differ; and what they saw is put beside
what the cluster did, which is known to the second."""
SILENCE_S = 60.0
"""Seconds before the end of the load from which a silent recorder counts as stopped: it polls far oftener."""
WATCH_GAP_S = 10.0
"""Seconds without sight of the cluster that may hide a scale event: less than one autoscaler sync (15 s)."""


_SAMPLED = ("pod metrics", "Prometheus")
"""How notes of the recorder's polls begin, as opposed to its watches."""


class Doubt(Enum):
    """What a doubt is about."""

    GENERATOR = auto()
    """The load was not offered as planned, or times were taken late."""
    REQUESTS = auto()
    """Requests are missing from the record."""
    CLUSTER = auto()
    """Watch events are missing from the record."""
    METRICS = auto()
    """Samples are missing from the record."""


@dataclass(frozen=True, slots=True)
class GeneratorLag:
    """How the generator fared, and whether it or the service was the limit."""

    count: int
    p99_ms: float
    """How late it was by its own doing, nearest-rank: the larger of requests' delays and the event loop's."""
    queued_percent: float
    """Share of requests whose user was still waiting for the answer before: the service's doing."""
    unsent: int = 0
    """Arrivals of an open loop that it could not start in time."""
    cpu_cores: float | None = None
    """Cores that its busiest process used or exceeded in a tenth of the samples; None with too few."""
    cpu_share: float | None = None
    """The same of the busiest container's CPU limit, 1 being all of it; None without a limit."""
    clock_off_s: float = 0.0
    """How far the worst of its clocks is surely off this machine's, seconds."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What makes its figures doubtful, each as a plain sentence."""
        found: list[str] = []
        if self.p99_ms > GENERATOR_LAG_MS:
            found.append(
                f"The load generator itself was {self.p99_ms:.0f} ms late at p99 "
                f"(at most {GENERATOR_LAG_MS:.0f} ms can be trusted)."
            )
        if self.unsent:
            share = 100 * self.unsent / (self.unsent + self.count)
            found.append(
                f"The load generator could not start {self.unsent} arrivals in time ({share:.2g} %), "
                "so less was offered than planned; raise max_in_flight or give it more processes."
            )
        if self.cpu_cores is not None and self.cpu_cores > GENERATOR_CPU_CORES:
            found.append(
                f"A process of the load generator used {self.cpu_cores:.2f} cores or more in a tenth of the "
                f"time (at most {GENERATOR_CPU_CORES:g} can be trusted): give it more processes."
            )
        if self.cpu_share is not None and self.cpu_share > GENERATOR_CPU_SHARE:
            found.append(
                f"A container of the load generator used {100 * self.cpu_share:.0f} % of its CPU limit or "
                f"more in a tenth of the time (at most {100 * GENERATOR_CPU_SHARE:.0f} % can be trusted): "
                "raise the limit or give it more workers."
            )
        if self.clock_off_s > GENERATOR_CLOCK_S:
            found.append(
                f"The clock of a load generator is at least {self.clock_off_s:.1f} s off this machine's "
                f"(at most {GENERATOR_CLOCK_S:g} s can be trusted): set the nodes' clocks."
            )
        return tuple(found)

    @property
    def sound(self) -> bool:
        """Whether the service and not the generator was the limit."""
        return not self.limits


def generator_lag(run: RunReader) -> GeneratorLag | None:
    """Return how the generator fared in the load window; None without requests.

    See `start_delays` for what is its own lag and what the service's doing. How late the generator's event
    loop woke (series `generator_lag_s`) counts too, where it was recorded, for it delays ends as well as
    starts.
    """
    if run.window_requests().is_empty():
        return None
    judged = start_delays(run.requests())
    if run.plan.load_window_s is not None:
        judged = judged.filter(pl.col("intended_start_s").is_between(*run.plan.load_window_s))
    lags = judged["delay_ms"].sort().to_list()
    loop = _within(run.metrics("generator_lag_s"), run)["value"].sort().to_list()
    worst_ms = max(nearest_rank(lags, 99), nearest_rank(loop, 99) * 1000 if loop else 0.0)
    return GeneratorLag(
        judged.height,
        worst_ms,
        100 * int(judged["queued"].sum()) / judged.height,
        _unsent(run),
        _busiest(run, "generator_cpu_cores"),
        _busiest(run, "generator_cpu_share"),
        _clock_off_s(run),
    )


def _unsent(run: RunReader) -> int:
    """Add up what each process counted; the last count may be taken when the window is over."""
    most = run.metrics("generator_unsent_total").group_by("labels").agg(pl.col("value").max())
    return int(most["value"].sum())


def _busiest(run: RunReader, name: str) -> float | None:
    samples = _within(run.metrics(name), run)
    found: list[float] = []
    for part in samples.partition_by("labels") if samples.height else []:
        values = part["value"].sort().to_list()
        if len(values) >= FEWEST_CPU_SAMPLES:
            found.append(nearest_rank(values, GENERATOR_CPU_PERCENTILE))
    return max(found, default=None)


def _clock_off_s(run: RunReader) -> float:
    """Return what is left of the worst offset when the doubt of its measurement is taken off.

    Also of clocks that were compared before the load began: they are compared when a generator is first met.
    """
    clocks, doubts_s = run.metrics("generator_clock_s"), run.metrics("generator_clock_within_s")
    both = clocks.join(doubts_s, on=["t_s", "labels"], suffix="_within")
    sure_s = both.select((pl.col("value").abs() - pl.col("value_within")).max()).item()
    return max(0.0, float(sure_s)) if sure_s is not None else 0.0


def _within(rows: pl.DataFrame, run: RunReader) -> pl.DataFrame:
    window = run.plan.load_window_s
    return rows if window is None else rows.filter(pl.col("t_s").is_between(*window))


def doubts(run: RunReader) -> list[tuple[Doubt, str]]:
    """Return every doubt about the record within the load window, each with a plain sentence."""
    return [*_generator(run), *_notes(run), *_damage(run), *_silence(run)]


def _generator(run: RunReader) -> Iterator[tuple[Doubt, str]]:
    lag = generator_lag(run)
    if lag is not None:
        yield from ((Doubt.GENERATOR, sentence) for sentence in lag.limits)


def _notes(run: RunReader) -> Iterator[tuple[Doubt, str]]:
    start_s, end_s = run.plan.load_window_s or (float("-inf"), float("inf"))
    for note in run.notes():
        if note.gap_s is not None:
            # A gap in samples needs no note: it is seen in the samples themselves.
            hides = note.gap_s > WATCH_GAP_S and not note.what.startswith(_SAMPLED)
            if hides and note.t_s > start_s and note.t_s - note.gap_s < end_s:
                yield (
                    Doubt.CLUSTER,
                    f"The recorder did not see the cluster for {note.gap_s:.0f} s: {note.what}.",
                )
        elif note.level == "error" and start_s <= note.t_s <= end_s:
            yield from ((about, _said(note)) for about in (Doubt.REQUESTS, Doubt.CLUSTER, Doubt.METRICS))


def _said(note: Note) -> str:
    return f"A recorder reported an error: {note.what}."


def _damage(run: RunReader) -> Iterator[tuple[Doubt, str]]:
    about = {REQUESTS_DIR: Doubt.REQUESTS, METRICS_DIR: Doubt.METRICS, CLUSTER_FILE: Doubt.CLUSTER}
    for name, sentence in run.damage().items():
        if name in about:
            yield about[name], f"The record is torn: {sentence}."


def _silence(run: RunReader) -> Iterator[tuple[Doubt, str]]:
    """A recorder that was killed leaves no note; its last record tells."""
    if run.plan.load_window_s is None:
        return
    end_s = run.plan.load_window_s[1]
    polled: list[float] = run.metrics("pod_cpu_cores")["received_s"].to_list()
    last_s = max([*polled, *(record.received_s for record in run.cluster())], default=None)
    if last_s is None:
        yield Doubt.CLUSTER, "Nothing of the cluster was recorded."
    elif last_s < end_s - SILENCE_S:
        yield Doubt.CLUSTER, f"The cluster's record ends {end_s - last_s:.0f} s before the load does."
