"""Disk: told before anything starts, and checked."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.job import Job
from tidegate.images.model import Disk

MARGIN_MB = 2000
"""What must stay free: a disk filled to the brim breaks more than this program."""


def peak_mb(jobs: Sequence[Job], limits: Disk) -> int:
    """Return the megabytes that the jobs fill at their height, beside what is there already.

    Scratch space of Go builds is shared and emptied at its limit; the rest adds up.
    """
    work = min(sum(job.work_mb for job in jobs), limits.go_work_gb * 1000 + max_work(jobs))
    return work + rest_mb(jobs)


def max_work(jobs: Sequence[Job]) -> int:
    """Return the scratch megabytes of the largest single job, which may start just below the limit."""
    return max((job.work_mb for job in jobs), default=0)


def rest_mb(jobs: Sequence[Job]) -> int:
    """Return the megabytes that stay once the jobs are done."""
    return sum(job.result_mb + job.image_mb for job in jobs)


def check_room(jobs: Sequence[Job], limits: Disk, engine_root: Path | None) -> None:
    """Refuse to start what the disk cannot hold.

    Args:
        jobs: what is about to run.
        limits: the catalogue's bounds.
        engine_root: the engine's data folder, where images go; None when it cannot be seen.

    Raises:
        TidegateError: too little is free where the cache or the engine's data lie.
    """
    images = sum(job.image_mb for job in jobs)
    cache = cache_dir()
    cache.mkdir(parents=True, exist_ok=True)
    needs = {cache: peak_mb(jobs, limits) - images}
    if engine_root is not None:
        same = engine_root.stat().st_dev == cache.stat().st_dev
        place = cache if same else engine_root
        needs[place] = needs.get(place, 0) + images
    for place, need in needs.items():
        free = shutil.disk_usage(place).free // 1_000_000
        if need and free < need + MARGIN_MB:
            raise TidegateError(
                f"{need / 1000:.1f} GB are needed and {free / 1000:.1f} GB are free",
                where=str(place),
                cure="free some space, or set TIDEGATE_CACHE to a larger disk",
            )
