"""The fluid's steps between two syncs, compiled: load flows, kubelets sample, metrics-server pairs samples.

State is in arrays that these functions change. They take no memory and look at no bound of an array: who
calls them sees that there is room.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidegate.simulate.world.compiled import compiled
from tidegate.simulate.world.swarm import AFTER, BEFORE, MILLI, NEXT, OFFSET, SERVING, STARTED, USED, Floats

Places = NDArray[np.int64]

YOUNG_S = 10.0
"""A container this old counts with its first sample alone (see `pipeline`)."""

# Rows of what flowed, one column for each piece of time in which nothing changed.
START_S, END_S, RATE, BACKLOG_S, PODS = 0, 1, 2, 3, 4
PIECE_ROWS = 5

# `clock`: now; the backlog and what a pod that always served has used, CPU seconds; what all have done since
# the load began, core seconds; the moment of the next scrape.
NOW, BACKLOG, EACH_USED, DONE, SCRAPE = 0, 1, 2, 3, 4
CLOCK_SIZE = 5

# `place`: which bin, which change of the serving pods is next, how many serve; entries in `past`, columns in
# `pieces`, gaps drawn.
BIN, CHANGE, SERVE, NOTED, FLOWED, DRAWN = 0, 1, 2, 3, 4, 5
PLACE_SIZE = 6


@compiled
def _used_at(t_s: float, past: Floats, noted: int) -> float:
    """Return what a pod that always served had used at `t_s`: on straight lines, as `numpy.interp`."""
    if t_s >= past[0, noted - 1]:
        return past[1, noted - 1]
    if t_s < past[0, 0]:
        return past[1, 0]
    low, high = 0, noted - 1
    while high - low > 1:
        middle = (low + high) // 2
        if past[0, middle] <= t_s:
            low = middle
        else:
            high = middle
    slope = (past[1, low + 1] - past[1, low]) / (past[0, low + 1] - past[0, low])
    return slope * (t_s - past[0, low]) + past[1, low]


@compiled
def _note(t_s: float, clock: Floats, place: Places, past: Floats) -> None:
    noted = place[NOTED]
    past[0, noted], past[1, noted] = t_s, clock[EACH_USED]
    place[NOTED] = noted + 1


@compiled
def flow_to(
    end_s: float,
    clock: Floats,
    place: Places,
    load: Floats,
    changes: Floats,
    pieces: Floats,
    past: Floats,
    speed: float,
    cpu_s: float,
) -> None:
    """Let the load flow until `end_s`.

    Args:
        end_s: until when, seconds.
        clock: see `NOW`.
        place: see `BIN`.
        load: when each rate ends, seconds, and the rate, requests a second.
        changes: when pods begin or cease to serve, and how many more do.
        pieces: what flowed; see `START_S`.
        past: what a pod that always served had used, by time.
        speed: cores a pod can use.
        cpu_s: CPU seconds a request.
    """
    while clock[NOW] < end_s:
        now_s = clock[NOW]
        while load[0, place[BIN]] <= now_s:
            place[BIN] += 1
        rate = load[1, place[BIN]]
        until_s = min(end_s, load[0, place[BIN]], changes[0, place[CHANGE]])
        length_s = until_s - now_s
        if length_s > 0:
            count, backlog_s = place[SERVE], clock[BACKLOG]
            able, wanted = count * speed, rate * cpu_s
            done = min(able * length_s, backlog_s + wanted * length_s)
            piece = place[FLOWED]
            pieces[START_S, piece], pieces[END_S, piece] = now_s, until_s
            pieces[RATE, piece], pieces[BACKLOG_S, piece], pieces[PODS, piece] = rate, backlog_s, count
            place[FLOWED] = piece + 1
            if count and backlog_s > 0.0:
                # At full speed while there is a backlog, and then as asked.
                empty_s = now_s + backlog_s / (able - wanted) if able > wanted else math.inf
                full_s = min(until_s, empty_s) - now_s
                clock[EACH_USED] += speed * full_s
                if now_s + full_s < until_s:
                    _note(now_s + full_s, clock, place, past)
                    clock[EACH_USED] += wanted / count * (until_s - now_s - full_s)
            elif count:
                clock[EACH_USED] += min(speed, wanted / count) * length_s
            _note(until_s, clock, place, past)
            clock[BACKLOG] = max(0.0, backlog_s + wanted * length_s - done)
            if now_s >= 0.0:
                clock[DONE] += done
        while changes[0, place[CHANGE]] <= until_s:
            place[SERVE] += int(changes[1, place[CHANGE]])
            place[CHANGE] += 1
        clock[NOW] = until_s


@compiled
def scrape(
    clock: Floats,
    place: Places,
    pods: Floats,
    past: Floats,
    gaps: Floats,
    speed: float,
    start_cpu_s: float,
    resolution_s: float,
) -> None:
    """Take the kubelets' newest samples into metrics-server.

    Args:
        clock: see `NOW`.
        place: see `BIN`.
        pods: the table of `Pods`.
        past: what a pod that always served had used, by time.
        gaps: times between samples, drawn in advance, seconds.
        speed: cores a pod can use.
        start_cpu_s: what a start takes, CPU seconds.
        resolution_s: metrics-server's time between scrapes.
    """
    now_s, noted = clock[NOW], place[NOTED]
    for pod in range(pods.shape[1]):
        sample = pods[NEXT, pod]
        if not sample <= now_s:
            continue
        while True:
            later = sample + gaps[place[DRAWN]]
            place[DRAWN] += 1
            if later > now_s:
                break
            sample = later
        pods[NEXT, pod] = later
        serving, started = pods[SERVING, pod], pods[STARTED, pod]
        if math.isnan(pods[OFFSET, pod]) and serving <= now_s:
            pods[OFFSET, pod] = start_cpu_s - _used_at(serving, past, noted)
        before, used_before = pods[AFTER, pod], pods[USED, pod]
        age_s = sample - started
        if math.isnan(before) and YOUNG_S <= age_s < resolution_s:
            before, used_before = started, 0.0
        if sample > serving:
            used = _used_at(sample, past, noted) + pods[OFFSET, pod]
        else:
            used = min(start_cpu_s, speed * age_s)
        pods[BEFORE, pod], pods[AFTER, pod], pods[USED, pod] = before, sample, used
        # Whole milli-cores, rounded up as the API's quantities are.
        pods[MILLI, pod] = np.ceil(np.rint((used - used_before) / (sample - before) * 1e6) / 1e3)


@compiled
def forget(before_s: float, place: Places, past: Floats) -> None:
    """Drop what nobody asks of the past: all before the last entry that is not after `before_s`."""
    noted, cut = place[NOTED], 0
    while cut + 1 < noted and past[0, cut + 1] <= before_s:
        cut += 1
    if cut:
        for entry in range(cut, noted):
            past[0, entry - cut], past[1, entry - cut] = past[0, entry], past[1, entry]
        place[NOTED] = noted - cut


@compiled
def run_to_sync(
    sync_at_s: float,
    end_s: float,
    clock: Floats,
    place: Places,
    load: Floats,
    changes: Floats,
    pieces: Floats,
    past: Floats,
    pods: Floats,
    gaps: Floats,
    speed: float,
    cpu_s: float,
    start_cpu_s: float,
    resolution_s: float,
    scrape_s: float,
    kept_s: float,
) -> float:
    """Run until the sync at `sync_at_s`, with the scrapes before it; none is begun after `end_s`.

    Args:
        sync_at_s: the moment of the sync.
        end_s: the load's end.
        scrape_s: how long a scrape takes until it can be read.
        kept_s: how far back a scrape may ask.
        Others: as in `flow_to` and `scrape`.

    Returns:
        What all pods use together, milli-cores; NaN while one has no number.
    """
    while clock[SCRAPE] + scrape_s <= sync_at_s and clock[SCRAPE] <= end_s:
        flow_to(clock[SCRAPE], clock, place, load, changes, pieces, past, speed, cpu_s)
        scrape(clock, place, pods, past, gaps, speed, start_cpu_s, resolution_s)
        clock[SCRAPE] += resolution_s
        forget(clock[NOW] - kept_s, place, past)
    if sync_at_s <= end_s:
        flow_to(sync_at_s, clock, place, load, changes, pieces, past, speed, cpu_s)
    total = 0.0
    for pod in range(pods.shape[1]):
        total += pods[MILLI, pod]
    return total
