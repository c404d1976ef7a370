"""Disk is estimated from the jobs and refused before anything starts."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tidegate.errors import TidegateError
from tidegate.images.disk import MARGIN_MB, check_room, peak_mb, rest_mb
from tidegate.images.job import Job, JobContext
from tidegate.images.model import Disk

LIMITS = Disk(peak_gb=30, rest_gb=10, go_work_gb=2)


async def nothing(_: JobContext) -> None:
    return


def job(name: str, work: int = 0, result: int = 0, image: int = 0) -> Job:
    return Job(name, name, "cpu", nothing, work_mb=work, result_mb=result, image_mb=image)


JOBS = [job("a", work=1500, result=100), job("b", work=1000, result=50), job("c", image=200)]


def test_scratch_space_is_bounded_and_results_add_up() -> None:
    assert rest_mb(JOBS) == 350
    assert peak_mb(JOBS, LIMITS) == 2500 + 350
    many = [job(str(index), work=1000) for index in range(9)]
    assert peak_mb(many, LIMITS) == 2000 + 1000


@pytest.mark.parametrize(("spare_mb", "fits"), [(0, True), (-1, False)])
def test_too_little_space_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, cache: Path, spare_mb: int, fits: bool
) -> None:
    free = (peak_mb(JOBS, LIMITS) + MARGIN_MB + spare_mb) * 1_000_000

    def usage(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    cache.mkdir()
    if fits:
        check_room(JOBS, LIMITS, cache)
        return
    with pytest.raises(
        TidegateError, match=r"2\.9 GB are needed and .* GB are free \(.*cache\)\. Cure: free"
    ):
        check_room(JOBS, LIMITS, cache)
