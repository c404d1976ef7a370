"""The metrics pipeline: kubelet's samples, metrics-server's points, what the autoscaler is told.

Rules of metrics-server v0.9.0 (storage/pod.go:102-161): usage is the difference between the last two distinct
samples; a sample that has not changed keeps the old pair. A container between 10 s and one resolution old
gets a second point at its start, so that one sample suffices.
"""

from __future__ import annotations

import math

from tidegate.simulate.hpa.pods import ContainerUsage, PodUsage
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world.pod import Pod

_YOUNG_S = 10.0
CONTAINER = "web"


Point = tuple[float, float]


def scrape(pod: Pod, point: Point | None, resolution_s: float) -> bool:
    """Take a sample of a pod, moment and CPU seconds, into metrics-server; return if it gives a usage."""
    if point is None or (pod.stored and pod.stored[-1][0] == point[0]):
        return False
    if not pod.stored and _YOUNG_S <= point[0] - pod.started_s < resolution_s:
        pod.stored = ((pod.started_s, 0.0), point)
    else:
        pod.stored = (*pod.stored[-1:], point)
    return len(pod.stored) == 2


def cores(pod: Pod) -> tuple[float, float, float] | None:
    """Return end of the window, its length (seconds) and the mean cores used; None without two samples."""
    if len(pod.stored) < 2:
        return None
    (before_s, before), (after_s, after) = pod.stored
    return after_s, after_s - before_s, (after - before) / (after_s - before_s)


def usage(pod: Pod, epoch_s: float) -> PodUsage | None:
    """Return what the metrics API says: a whole second, the exact window, whole nano-cores rounded up.

    Times cross the API at whole seconds (apimachinery meta/v1/time_proto.go:39), windows as they are.
    """
    found = cores(pod)
    if found is None:
        return None
    end_s, window_s, used = found
    milli = -(-round(used * NANOS) // 1_000_000)  # a quantity of nano-cores, rounded up to milli-units
    return PodUsage(
        math.floor(epoch_s + end_s) * NANOS,
        round(window_s * NANOS),
        (ContainerUsage(CONTAINER, {"cpu": milli}),),
    )
