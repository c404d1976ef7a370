"""The figures of a report: one typed object, also embedded in the page as `report-data`.

Everything the page shows comes from here or is derived from here. Fields whose name ends in `t_s`, and
`load_window_s`, are unix seconds; an `x` of a series is seconds from `origin_s`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tidegate.models import Check, Outcome
from tidegate.models.base import Model
from tidegate.models.trial import Trial


class Failure(Model):
    """Failures of one cause."""

    what: str
    count: int
    first_t_s: float = Field(description="Intended start of the first.")
    last_t_s: float


class Totals(Model):
    """Requests meant to start within the load window."""

    requests: int
    ok: int
    failed: int
    availability_percent: float | None
    availability_interval_percent: tuple[float, float] | None = Field(
        description="95 % confidence interval; the verdict's where it gives one."
    )
    mean_offered_rps: float | None
    peak_offered_rps: float | None = Field(
        description="The highest mean over five seconds, or over a longer bucket."
    )
    failures: tuple[Failure, ...] = Field(description="By cause, the most frequent first, at most ten.")


class ObjectiveResult(Model):
    """One latency objective and what was measured for it."""

    percentile: float
    threshold_ms: float
    measured_ms: float | None
    held: bool | None = Field(description="measured_ms <= threshold_ms; null when nothing was measured.")
    over_s: float = Field(description="Seconds of buckets in breach.")


class Percentiles(Model):
    """Milliseconds; null without requests."""

    p50: float | None
    p95: float | None
    p99: float | None


class GroupLatency(Model):
    """Latency of one route group, milliseconds from intended start to end; null without requests."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    from_start: Percentiles = Field(description="From the real start: what a client that waits would see.")
    objectives: tuple[ObjectiveResult, ...]


class PodTime(Model):
    """One pod's way through a scale event."""

    pod: str
    node: str | None
    total_s: float | None
    parts: dict[str, float]
    missing: tuple[str, ...]


class Scale(Model):
    """One change of the desired replicas; `parts` are those of its last pod and add up to `total_s`."""

    t_s: float
    direction: Literal["up", "down"]
    from_: int = Field(serialization_alias="from")
    to: int
    cpu_percent: int | None
    total_s: float | None
    parts: dict[str, float]
    pods: tuple[PodTime, ...]
    pods_not_shown: int = Field(description="Pods left out for room; those kept are the last ones.")
    absent: int
    sample_window_s: float | None


class Part(Model):
    """One part of the lag over all complete pods, seconds."""

    part: str
    count: int
    median_s: float
    p95_s: float
    max_s: float


class NodeTime(Model):
    """The way of one added node; see `tidegate.lag.nodes`."""

    node: str
    group: str
    joined_t_s: float
    total_s: float | None
    node_ready_s: float | None = Field(description="From the autoscaler's asking until it was Ready.")
    parts: dict[str, float]
    missing: tuple[str, ...]
    first_pod: str | None


class Breach(Model):
    """The first moment at which something was over its limit."""

    t_s: float
    kind: Literal["latency", "cpu"]
    what: str


class Reaction(Model):
    """From the first breach to the first pod that could help."""

    breach: Breach | None
    ready_t_s: float | None
    ready_pod: str | None
    breach_to_ready_s: float | None
    last_breach_t_s: float | None = Field(description="End of the last bucket in breach.")


class Replicas(Model):
    """How many web pods there were within the load window."""

    min_ready: int | None
    peak_ready: int | None
    peak_desired: int | None
    ready_pod_s: float | None = Field(description="Integral of Ready web pods over the load window.")
    held_at_peak_s: float | None = Field(description="The same had the peak been held throughout.")


class Generator(Model):
    """How the load generator itself fared within the load window."""

    start_delay_p99_ms: float | None
    start_delay_max_ms: float | None
    loop_lag_max_ms: float | None
    cpu_peak_cores: float | None


class Fault(Model):
    """One injected fault."""

    name: str
    asked_t_s: float | None
    landed_t_s: float | None
    lifted_t_s: float | None
    evidence: tuple[tuple[str, str], ...] = Field(description="Phase and evidence, as text.")


class Lane(Model):
    """The life of one pod."""

    pod: str
    component: str
    node: str | None
    created_t_s: float
    scheduled_t_s: float | None
    started_t_s: float | None
    ready_t_s: float | None
    deleting_t_s: float | None
    gone_t_s: float | None
    ready_spans: tuple[tuple[float, float | None], ...]
    rough: tuple[str, ...] = Field(description="Marks known only to half a second.")
    requests: int
    failed: int


class Moment(Model):
    """One line of the story."""

    t_s: float
    kind: Literal["load", "breach", "up", "down", "ready", "recovered", "fault", "gap", "end"]
    title: str
    detail: str = ""


class Advice(Model):
    """What a VerticalPodAutoscaler recommended last for one resource of one container."""

    workload: str
    container: str
    resource: Literal["cpu", "memory"]
    unit: Literal["cores", "MiB"] = Field(description="Of all the figures.")
    mode: str = Field(description="What is done with it; Off is nothing.")
    request: float | None = Field(description="What the Deployment's container requests.")
    target: float
    lower: float | None
    upper: float | None
    uncapped: float | None = Field(description="The target without the policy's bounds.")
    t_s: float


class Slice(Model):
    """One row of the summary by time, for those who cannot or would rather not read charts."""

    from_x: float
    to_x: float
    offered_rps: float | None
    served_rps: float | None
    failed: int
    p95_ms: dict[str, float | None] = Field(description="By route group.")
    desired: int | None
    ready: int | None
    cpu_percent: float | None


class RunNote(Model):
    """What a recorder said about itself, or what a crash cut off."""

    t_s: float | None
    level: str
    what: str


class XY(Model):
    """A line: values at seconds from `origin_s`."""

    x: tuple[float, ...]
    y: tuple[float | None, ...]


class LoadSeries(Model):
    """Requests a second, means over buckets that begin at `x`."""

    bucket_s: float
    x: tuple[float, ...]
    offered: tuple[float, ...]
    served: tuple[float, ...]
    failed: tuple[float, ...]
    failed_count: tuple[int, ...] = Field(description="Failed requests in the bucket.")


class LatencyGroup(Model):
    """Percentiles of one route group, milliseconds, of buckets that begin at `x`."""

    x: tuple[float, ...]
    count: tuple[int, ...]
    p50: tuple[float, ...]
    p95: tuple[float, ...]
    p99: tuple[float, ...]


class LatencySeries(Model):
    """Latency over time."""

    bucket_s: float
    groups: dict[str, LatencyGroup]


class PodLine(XY):
    """CPU of one pod, percent of its request."""

    pod: str


class CpuSeries(Model):
    """CPU use, percent of the request."""

    target_percent: float
    band_percent: tuple[float, float] = Field(description="Within it the autoscaler leaves things be.")
    pods: tuple[PodLine, ...]
    pods_not_shown: int
    mean: XY
    reported: XY = Field(description="What the autoscaler said it computed; a step line.")


class Series(Model):
    """What the charts draw; null or empty where nothing was recorded."""

    load: LoadSeries | None
    latency: LatencySeries | None
    ready: XY | None
    desired: XY | None
    min_replicas: int
    max_replicas: int
    cpu: CpuSeries | None
    queue_depth: XY | None
    queue_age_s: XY | None
    start_delay_p99_ms: XY | None
    loop_lag_ms: XY | None


class ReportData(Model):
    """All figures of one report."""

    report_version: Literal[1] = 1
    run_id: str
    scenario: str
    created_s: float
    origin_s: float = Field(description="Unix seconds of x = 0: start of the load.")
    domain_x: tuple[float, float] = Field(description="First and last x that the charts show.")
    load_window_s: tuple[float, float] | None
    outcome: Outcome | None = Field(description="Null while the run has not been judged.")
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]
    totals: Totals
    latency_ms: dict[str, GroupLatency]
    replicas: Replicas
    peak_ready_web: int | None
    peak_desired_web: int | None
    reaction: Reaction
    scale_events: tuple[Scale, ...]
    lag_summary: tuple[Part, ...] = Field(description="Over the complete pods of all events upwards.")
    generator: Generator
    faults: tuple[Fault, ...]
    trials: tuple[Trial, ...] = Field(description="Every experiment, judged anew from the record.")
    pods: tuple[Lane, ...]
    pods_not_shown: int
    nodes: tuple[NodeTime, ...] = Field(description="Nodes that were added, as they joined.")
    advice: tuple[Advice, ...] = Field(description="Of the VerticalPodAutoscalers, where there are any.")
    story: tuple[Moment, ...]
    slices: tuple[Slice, ...]
    notes: tuple[RunNote, ...]
    queue_age_max_s: float | None
    series: Series
