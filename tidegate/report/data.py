"""Collect every figure of a report from a run."""

from __future__ import annotations

from tidegate.lag import NODE_MARKS, NodePath, ScaleEvent, breakdown, node_paths, summarize
from tidegate.report.breach import latency_breaches, reaction
from tidegate.report.frame import Frame, frame_of
from tidegate.report.model import (
    Advice,
    CpuSeries,
    Generator,
    LoadSeries,
    NodeTime,
    Part,
    PodTime,
    ReportData,
    RunNote,
    Scale,
    Series,
)
from tidegate.report.replicas import desired_chart, lanes, ready_chart, replicas, reported_chart
from tidegate.report.requests import (
    latency,
    latency_chart,
    load_chart,
    served_by_pod,
    start_delay_chart,
    totals,
)
from tidegate.report.samples import cpu_chart, mean_cpu, metric_chart, peak, web_cpu
from tidegate.report.slices import slices
from tidegate.report.story import paired, story
from tidegate.run import (
    HpaPoint,
    ReadyPoint,
    Recommendation,
    RunReader,
    hpa_series,
    nearest_rank,
    pod_lives,
    ready_steps,
    recommendations,
    start_delays,
)
from tidegate.run.format import WEB_COMPONENT
from tidegate.verdict.experiments import experiments

MOST_NOTES = 200
MOST_EVENT_PODS = 800
"""Pods of scale events in one report, shared evenly by its events."""


def collect(run: RunReader) -> ReportData:
    """Return the figures of `run`; what it does not hold is None or empty.

    Raises:
        TidegateError: a file of the run is damaged.
    """
    lives = pod_lives(run)
    web = [life for life in lives if life.component == WEB_COMPONENT]
    frame = frame_of(run, lives)
    points, steps, events = hpa_series(run), ready_steps(web), breakdown(run)
    breaches = latency_breaches(run)
    load = load_chart(run, frame)
    each = web_cpu(run, {life.name for life in web})
    cpu = cpu_chart(run, each, reported_chart(points, frame), frame)
    series = _series(run, frame, load, cpu, points, steps)
    usage = mean_cpu(each) or [(point.t_s, float(point.cpu_percent or 0)) for point in points]
    reacted = reaction(run, frame, breaches, usage, events)
    faults = paired(run.faults())
    shown, not_shown = lanes(lives, served_by_pod(run), frame)
    counts = replicas(steps, points, frame)
    verdict = run.verdict
    checks = verdict.checks if verdict else ()
    availability = next((check for check in checks if check.name == "availability"), None)
    return ReportData(
        run_id=run.plan.run_id,
        scenario=run.plan.scenario,
        created_s=run.plan.created_s,
        origin_s=frame.origin_s,
        domain_x=frame.domain_x,
        load_window_s=run.plan.load_window_s,
        outcome=verdict.outcome if verdict else None,
        reasons=verdict.reasons if verdict else (),
        checks=checks,
        totals=totals(run, availability, load, frame),
        latency_ms=latency(
            run, {(one.objective.route_group, one.objective.percentile): one.over_s for one in breaches}
        ),
        replicas=counts,
        peak_ready_web=counts.peak_ready,
        peak_desired_web=counts.peak_desired,
        reaction=reacted,
        scale_events=tuple(_scale(event, MOST_EVENT_PODS // max(1, len(events))) for event in events),
        lag_summary=tuple(
            Part(part=one.part, count=one.count, median_s=one.median_s, p95_s=one.p95_s, max_s=one.max_s)
            for one in summarize(events)
        ),
        generator=_generator(run, frame),
        faults=faults,
        trials=experiments(run),
        pods=shown,
        pods_not_shown=not_shown,
        nodes=tuple(_node(path) for path in node_paths(run)),
        advice=tuple(_advice(one) for one in recommendations(run)),
        story=story(frame, load, steps, reacted, events, faults, run.notes()),
        slices=slices(series, frame.domain_x),
        notes=_notes(run),
        queue_age_max_s=run.plan.slo.queue_age_max_s,
        series=series,
    )


def _series(
    run: RunReader,
    frame: Frame,
    load: LoadSeries | None,
    cpu: CpuSeries | None,
    points: list[HpaPoint],
    steps: list[ReadyPoint],
) -> Series:
    hpa = run.plan.policy.web.hpa
    return Series(
        load=load,
        latency=latency_chart(run, frame),
        ready=ready_chart(steps, frame),
        desired=desired_chart(points, frame),
        min_replicas=hpa.min_replicas,
        max_replicas=hpa.max_replicas,
        cpu=cpu,
        queue_depth=metric_chart(run, "queue_depth", frame),
        queue_age_s=metric_chart(run, "queue_age_s", frame),
        start_delay_p99_ms=start_delay_chart(start_delays(run.requests()), frame),
        loop_lag_ms=metric_chart(run, "generator_lag_s", frame, 1000.0),
    )


def _generator(run: RunReader, frame: Frame) -> Generator:
    rows = start_delays(run.requests())
    delays: list[float] = rows.filter(rows["intended_start_s"].is_between(*frame.window_s))[
        "delay_ms"
    ].to_list()
    delays.sort()
    lag_s = peak(run, "generator_lag_s", frame)
    return Generator(
        start_delay_p99_ms=nearest_rank(delays, 99) if delays else None,
        start_delay_max_ms=delays[-1] if delays else None,
        loop_lag_max_ms=lag_s * 1000 if lag_s is not None else None,
        cpu_peak_cores=peak(run, "generator_cpu_cores", frame),
    )


def _scale(event: ScaleEvent, most: int) -> Scale:
    kept = event.paths[max(0, len(event.paths) - most) :]
    return Scale(
        t_s=event.t_s,
        direction=event.direction,
        from_=event.from_replicas,
        to=event.to_replicas,
        cpu_percent=event.cpu_percent,
        total_s=event.total_s,
        parts=event.parts_s,
        pods=tuple(
            PodTime(
                pod=path.pod, node=path.node, total_s=path.total_s, parts=path.parts_s, missing=path.missing
            )
            for path in kept
        ),
        pods_not_shown=len(event.paths) - len(kept),
        absent=event.absent,
        sample_window_s=event.sample_window_s,
    )


def _node(path: NodePath) -> NodeTime:
    return NodeTime(
        node=path.node,
        group=path.group,
        joined_t_s=path.marks_s[NODE_MARKS.index("joined")] or 0.0,
        total_s=path.total_s,
        node_ready_s=path.node_ready_s,
        parts=path.parts_s,
        missing=path.missing,
        first_pod=path.first_pod,
    )


def _advice(said: Recommendation) -> Advice:
    unit, one = ("cores", 1.0) if said.resource == "cpu" else ("MiB", 2.0**20)

    def in_unit(value: float | None) -> float | None:
        return None if value is None else value / one

    return Advice(
        workload=said.workload,
        container=said.container,
        resource=said.resource,
        unit=unit,
        mode=said.mode,
        request=in_unit(said.request),
        target=said.target / one,
        lower=in_unit(said.lower),
        upper=in_unit(said.upper),
        uncapped=in_unit(said.uncapped),
        t_s=said.t_s,
    )


def _notes(run: RunReader) -> tuple[RunNote, ...]:
    told = [RunNote(t_s=None, level="warning", what=f"{sentence}") for sentence in run.damage().values()]
    told += [RunNote(t_s=note.t_s, level=note.level, what=note.what) for note in run.notes()]
    # Errors and warnings first to stay when there are too many.
    kept = sorted(told, key=lambda note: note.level == "info")[:MOST_NOTES]
    return tuple(sorted(kept, key=lambda note: note.t_s or 0.0))
