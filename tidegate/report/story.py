"""What happened, as a handful of lines in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.lag import ScaleEvent
from tidegate.report.frame import Frame
from tidegate.report.model import Fault, LoadSeries, Moment, Reaction
from tidegate.report.requests import smoothed
from tidegate.report.words import number, plural, seconds
from tidegate.run import FaultRecord, Note, ReadyPoint

PEAK_SHARE = 0.9
MOST_SCALES = 12
MOST_MOMENTS = 60


def story(
    frame: Frame,
    load: LoadSeries | None,
    ready: list[ReadyPoint],
    reaction: Reaction,
    events: list[ScaleEvent],
    faults: tuple[Fault, ...],
    notes: list[Note],
) -> tuple[Moment, ...]:
    """Return the moments worth telling, at most a page of them."""
    found = [
        *_load(frame, load),
        *_reaction(frame, reaction),
        *_scales(events),
        *_ready(ready, frame),
        *_faults(faults),
        *_gaps(notes, frame),
    ]
    order = ("load", "fault", "breach", "up", "ready", "recovered", "down", "gap", "end")
    return tuple(sorted(found, key=lambda moment: (moment.t_s, order.index(moment.kind)))[:MOST_MOMENTS])


def _load(frame: Frame, load: LoadSeries | None) -> Iterator[Moment]:
    if load is None:
        return
    means = smoothed(load)
    inside = [(frame.origin_s + x, rate) for x, rate in zip(load.x, means, strict=False)]
    inside = [(t_s, rate) for t_s, rate in inside if frame.within(t_s)]
    if not inside:
        return
    began, top = inside[0][1], max(rate for _, rate in inside)
    yield Moment(t_s=frame.window_s[0], kind="load", title=f"Load begins at {number(began, 2)} requests/s")
    if top > began * 1.2:
        at_s = next(t_s for t_s, rate in inside if rate >= top * PEAK_SHARE)
        yield Moment(t_s=at_s, kind="load", title=f"Load is near its peak of {number(top, 3)} requests/s")
    yield Moment(t_s=frame.window_s[1], kind="end", title="Load ends")


def _reaction(frame: Frame, reaction: Reaction) -> Iterator[Moment]:
    if reaction.breach is not None:
        title = "First breach" if reaction.breach.kind == "latency" else "CPU above target"
        yield Moment(t_s=reaction.breach.t_s, kind="breach", title=title, detail=reaction.breach.what)
    if reaction.ready_t_s is not None:
        yield Moment(
            t_s=reaction.ready_t_s,
            kind="ready",
            title="First new pod is Ready",
            detail=f"{seconds(reaction.breach_to_ready_s)} after the first breach",
        )
    if reaction.breach is not None and reaction.last_breach_t_s is not None:
        lasted = seconds(reaction.last_breach_t_s - reaction.breach.t_s)
        if reaction.last_breach_t_s < frame.window_s[1]:
            yield Moment(
                t_s=reaction.last_breach_t_s,
                kind="recovered",
                title="Back within every latency objective",
                detail=f"{lasted} after the first breach",
            )


def _scales(events: list[ScaleEvent]) -> Iterator[Moment]:
    for event in events[:MOST_SCALES]:
        at = f"at {event.cpu_percent} % CPU" if event.cpu_percent is not None else ""
        took = (
            f"all done {seconds(event.total_s)} after the sample"
            if event.direction == "up"
            else (f"all gone after {seconds(event.total_s)}")
        )
        yield Moment(
            t_s=event.t_s,
            kind=event.direction,
            title=f"Autoscaler asks for {event.from_replicas} → {event.to_replicas} pods",
            detail=", ".join(part for part in (at, took if event.total_s is not None else "") if part),
        )


def _ready(ready: list[ReadyPoint], frame: Frame) -> Iterator[Moment]:
    inside = [point for point in ready if frame.within(point.t_s)]
    before = next((point.ready for point in reversed(ready) if point.t_s <= frame.window_s[0]), 0)
    top = max((point.ready for point in inside), default=0)
    if top > before + 1:
        at_s = next(point.t_s for point in inside if point.ready == top)
        yield Moment(t_s=at_s, kind="ready", title=f"All {top} pods are Ready, the most of the run")


def _faults(faults: tuple[Fault, ...]) -> Iterator[Moment]:
    for fault in faults:
        at_s = fault.landed_t_s or fault.asked_t_s
        if at_s is None:
            continue
        landed = fault.landed_t_s is not None
        lasted_s = fault.lifted_t_s - at_s if fault.lifted_t_s is not None else None
        detail = f"lifted {seconds(lasted_s)} later" if lasted_s is not None else "never seen to be lifted"
        yield Moment(
            t_s=at_s,
            kind="fault",
            title=f"Fault {fault.name} {'lands' if landed else 'is asked for'}",
            detail=detail if landed else "it was never seen to land",
        )


def _gaps(notes: list[Note], frame: Frame) -> Iterator[Moment]:
    blind = [note for note in notes if note.gap_s is not None and frame.within(note.t_s)]
    if blind:
        total = seconds(sum(note.gap_s or 0 for note in blind))
        yield Moment(
            t_s=blind[0].t_s,
            kind="gap",
            title="The recorder was blind for a while",
            detail=f"{plural(len(blind), 'gap')}, {total} in all",
        )


def paired(records: list[FaultRecord]) -> tuple[Fault, ...]:
    """Return the faults that the steps in `records` belong to; a step `asked` begins a new one."""
    open_faults: dict[str, list[FaultRecord]] = {}
    whole: list[list[FaultRecord]] = []
    for record in records:
        current = open_faults.get(record.name)
        if current is None or record.phase == "asked" or any(one.phase == record.phase for one in current):
            current = open_faults[record.name] = []
            whole.append(current)
        current.append(record)
    return tuple(_fault(one) for one in whole)


def _fault(parts: list[FaultRecord]) -> Fault:
    at = {one.phase: one.t_s for one in parts}
    told = tuple(
        (one.phase, ", ".join(f"{key}: {value}" for key, value in one.evidence.items())[:300])
        for one in parts
    )
    return Fault(
        name=parts[0].name,
        asked_t_s=at.get("asked"),
        landed_t_s=at.get("landed"),
        lifted_t_s=at.get("lifted"),
        evidence=told,
    )
