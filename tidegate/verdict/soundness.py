"""What may make a measurement doubtful: the generator, the recorder, or a torn record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import polars as pl

from tidegate.run import Note, RunReader
from tidegate.run.format import CLUSTER_FILE, METRICS_DIR, REQUESTS_DIR
from tidegate.run.percentile import nearest_rank

GENERATOR_LAG_MS = 250.0
"""Generator's own delay at p99 above which its figures are as much about itself as about the service."""
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
    """How late the generator was by its own doing."""

    count: int
    p99_ms: float
    """The larger of the two below, nearest-rank."""
    queued_percent: float
    """Share of requests whose user was still waiting for the answer before: the service's doing."""

    @property
    def sound(self) -> bool:
        """Whether the lag is small enough to trust the times."""
        return self.p99_ms <= GENERATOR_LAG_MS


def generator_lag(run: RunReader) -> GeneratorLag | None:
    """Return the generator's own lag in the load window; None without requests.

    A request may start late for two reasons. Its user was still waiting for the answer before: then the
    service was slow, and the wait belongs to the latency that is judged. Or its user was free and the
    generator did not come round to it: that is the generator's own lag, `start - max(intended start, end
    of the same user's request before)`. How late the generator's event loop woke (series
    `generator_lag_s`) counts too, where it was recorded, for it delays ends as well as starts.
    """
    requests = run.window_requests()
    if requests.is_empty():
        return None
    # Over all requests, since the one before the window's first may have ended within it.
    free_s = pl.col("end_s").cum_max().shift(1).over("user")
    judged = (
        run.requests()
        .sort("user", "start_s", maintain_order=True)
        .with_columns(free_s=pl.max_horizontal("intended_start_s", free_s))
        .select(
            "intended_start_s",
            lag_ms=((pl.col("start_s") - pl.col("free_s")) * 1000).clip(lower_bound=0),
            queued=(pl.col("user") >= 0) & (pl.col("free_s") > pl.col("intended_start_s")),
        )
    )
    if run.plan.load_window_s is not None:
        judged = judged.filter(pl.col("intended_start_s").is_between(*run.plan.load_window_s))
    lags = judged["lag_ms"].sort().to_list()
    loop = _within(run.metrics("generator_lag_s"), run)["value"].sort().to_list()
    worst_ms = max(nearest_rank(lags, 99), nearest_rank(loop, 99) * 1000 if loop else 0.0)
    return GeneratorLag(judged.height, worst_ms, 100 * int(judged["queued"].sum()) / judged.height)


def _within(rows: pl.DataFrame, run: RunReader) -> pl.DataFrame:
    window = run.plan.load_window_s
    return rows if window is None else rows.filter(pl.col("t_s").is_between(*window))


def doubts(run: RunReader) -> list[tuple[Doubt, str]]:
    """Return every doubt about the record within the load window, each with a plain sentence."""
    return [*_generator(run), *_notes(run), *_damage(run), *_silence(run)]


def _generator(run: RunReader) -> Iterator[tuple[Doubt, str]]:
    lag = generator_lag(run)
    if lag is not None and not lag.sound:
        yield (
            Doubt.GENERATOR,
            f"The load generator itself was {lag.p99_ms:.0f} ms late at p99 "
            f"(at most {GENERATOR_LAG_MS:.0f} ms can be trusted).",
        )


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
