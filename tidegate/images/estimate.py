"""How long a set of jobs takes, by the seconds the catalogue has measured."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidegate.images.job import Job, Resource
from tidegate.images.schedule import order


def estimate_s(jobs: Sequence[Job], limits: Mapping[Resource, int]) -> float:
    """Return the seconds until all jobs have ended, by playing the schedule through.

    Args:
        jobs: what is to be done; needs that are not among them count as met.
        limits: how many of each kind run at once.
    """
    known = {job.id for job in jobs}
    inner = [replace(job, needs=job.needs & known) for job in jobs]
    weights = order(inner)
    waiting = sorted(inner, key=lambda job: (-weights[job.id], job.id))
    free = dict(limits)
    running: list[tuple[float, str, Resource]] = []
    ended: set[str] = set()
    now_s = 0.0
    while waiting or running:
        for job in list(waiting):
            if free[job.resource] > 0 and job.needs <= ended:
                free[job.resource] -= 1
                waiting.remove(job)
                heapq.heappush(running, (now_s + job.seconds, job.id, job.resource))
        now_s, name, resource = heapq.heappop(running)
        ended.add(name)
        free[resource] += 1
    return now_s
