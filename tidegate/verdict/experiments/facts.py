"""What a Run knows of one experiment: when, on what, and which spans of time are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import polars as pl
from pydantic import ValidationError

from tidegate.models.hypothesis import Hypothesis
from tidegate.run import (
    ClusterRecord,
    FaultRecord,
    PodLife,
    ReadyPoint,
    RunReader,
    hpa_series,
    pod_lives,
    ready_steps,
)
from tidegate.run.format import WEB_COMPONENT
from tidegate.run.hpa import HpaPoint, Rescale, rescales

Span = tuple[float, float]


class Record:
    """A Run, read once for all of its experiments."""

    def __init__(self, run: RunReader) -> None:
        self.run = run

    @cached_property
    def cluster(self) -> list[ClusterRecord]:
        """Every watch event."""
        return list(self.run.cluster())

    @cached_property
    def web(self) -> list[PodLife]:
        """Lives of the web pods."""
        return pod_lives(self.run, WEB_COMPONENT)

    @cached_property
    def ready(self) -> list[ReadyPoint]:
        """Steps of the number of Ready web pods."""
        return ready_steps(self.web)

    @cached_property
    def hpa(self) -> list[HpaPoint]:
        """States of the autoscaler."""
        return hpa_series(self.run)

    @cached_property
    def rescales(self) -> list[Rescale]:
        """Changes of replicas that the autoscaler asked for."""
        return rescales(self.run)

    @cached_property
    def probes(self) -> pl.DataFrame:
        """Every sample of the probes, with the labels `pod` and `to` as columns."""
        rows = self.run.metrics().filter(pl.col("name").str.starts_with("probe_"))
        fields = pl.Struct({"pod": pl.String(), "to": pl.String()})
        return rows.with_columns(pl.col("labels").str.json_decode(fields).alias("of")).unnest("of")

    def end_s(self) -> float:
        """When the load ended, or the last request did."""
        if self.run.plan.load_window_s is not None:
            return self.run.plan.load_window_s[1]
        last = self.run.requests()["intended_start_s"].max()
        return float(cast("float", last)) if last is not None else float("inf")


@dataclass(frozen=True)
class Fault:
    """One experiment as it was asked for and lifted."""

    name: str
    claim: Hypothesis
    kind: str
    at_once: bool
    asked_s: float
    lifted_s: float | None
    eligible: tuple[str, ...]
    """Pods that could be chosen when it was asked."""
    most: int
    """Most pods hit at once."""
    injector: dict[str, Any]
    """What the injector said when it was lifted."""
    newest_request_s: float | None = None
    """End of the newest request that was recorded when it was asked for, by the generator's clock."""

    @property
    def chosen(self) -> tuple[str, ...]:
        """Pods to look at: those the injector names, else all that could be chosen."""
        return tuple(self.injector.get("pods") or self.eligible)

    @property
    def errors(self) -> tuple[str, ...]:
        """What the injector complained of."""
        return tuple(str(error) for error in self.injector.get("errors") or ())

    def before(self) -> Span:
        """The span that the fault is compared with."""
        return self.asked_s - self.claim.before_s, self.asked_s

    def during(self, end_s: float) -> Span:
        """The span in which the steady state is judged; a fault that is over at once has one by itself."""
        lifted_s = self.lifted_s if self.lifted_s is not None else end_s
        least_s = self.asked_s + self.claim.judged_s if self.at_once else lifted_s
        return self.asked_s, min(max(lifted_s, least_s), max(end_s, self.asked_s))

    def over_s(self, end_s: float) -> float:
        """When the fault was over: what recovery is counted from."""
        return self.asked_s if self.at_once else (self.lifted_s if self.lifted_s is not None else end_s)

    def after(self, end_s: float) -> Span:
        """From the end of the fault on, as long as the load lasted."""
        begin_s = self.during(end_s)[1]
        return begin_s, max(begin_s, min(begin_s + self.claim.after_s, end_s))


def faults(records: Sequence[FaultRecord]) -> list[Fault]:
    """Return the experiments among the steps of faults; a fault without a hypothesis is none."""
    found: list[Fault] = []
    for asked in records:
        if asked.phase != "asked" or "hypothesis" not in asked.evidence:
            continue
        following = [each.t_s for each in records if each.phase == "asked" and each.name == asked.name]
        until_s = min((t_s for t_s in following if t_s > asked.t_s), default=float("inf"))
        lifted = next(
            (
                each
                for each in records
                if (each.name, each.phase) == (asked.name, "lifted") and asked.t_s <= each.t_s < until_s
            ),
            None,
        )
        try:
            claim = Hypothesis.model_validate(asked.evidence["hypothesis"])
        except ValidationError:
            continue  # of a version that is not known: there is nothing to judge it by
        found.append(
            Fault(
                name=asked.name,
                claim=claim,
                kind=str(asked.evidence.get("kind", "")),
                at_once=bool(asked.evidence.get("at_once")),
                asked_s=asked.t_s,
                lifted_s=lifted.t_s if lifted else None,
                eligible=tuple(asked.evidence.get("pods") or ()),
                most=int(asked.evidence.get("most") or 0),
                injector=dict(lifted.evidence.get("injector") or {}) if lifted else {},
                newest_request_s=asked.evidence.get("newest_request_s"),
            )
        )
    return found


def ready_at(steps: Sequence[ReadyPoint], t_s: float) -> int | None:
    """Return how many pods were Ready at `t_s`; None before the first step."""
    return next((step.ready for step in reversed(steps) if step.t_s <= t_s), None)


def ready_range(steps: Sequence[ReadyPoint], span: Span) -> tuple[int, int] | None:
    """Return the fewest and most Ready pods in a span; None where nothing is known."""
    first = ready_at(steps, span[0])
    inside = [step.ready for step in steps if span[0] < step.t_s <= span[1]]
    counts = [*([] if first is None else [first]), *inside]
    return (min(counts), max(counts)) if counts else None
