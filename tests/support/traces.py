"""Traces of real load that the project does not carry; where they are absent, small ones are made."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

TRACES = Path(os.environ.get("TIDEGATE_TRACES") or Path(__file__).parents[3] / "shared" / "traces")
"""Folder of traces (WorldCup 98 by minute, Azure LLM 2023, an ELB of NAB); it need not be there."""


def real_or_made(tmp_path: Path, name: str) -> list[Path]:
    """Return the files of the trace `name`, or of a small one in its form.

    Args:
        tmp_path: where a made one goes.
        name: `world-cup` (`time,count` by minute, no header, a boundary minute in two files), `elb` (the same
            by five minutes with a header), or `azure` (a header, one arrival a line, seven digits of second).
    """
    pattern = {"world-cup": "wc98*/*.csv", "elb": "nab_elb*.csv", "azure": "azure_llm_2023_code.csv"}[name]
    found = sorted(TRACES.glob(pattern)) if TRACES.is_dir() else []
    if found:
        return found
    lines = {"world-cup": _world_cup, "elb": _elb, "azure": _azure}[name]
    paths: list[Path] = []
    for number, part in enumerate(lines()):
        paths.append(tmp_path / f"{name}-{number}.csv")
        paths[-1].write_text("\n".join(part) + "\n")
    return paths


def _moments(step_s: float, count: int) -> Iterator[datetime]:
    first = datetime(1998, 6, 30, tzinfo=UTC)
    return (first + timedelta(seconds=step_s * number) for number in range(count))


def _world_cup() -> Iterator[list[str]]:
    draw = random.Random(98)
    minutes = [f"{at:%Y-%m-%d %H:%M}" for at in _moments(60, 240)]
    for first, last in ((0, 120), (119, 240)):  # the minute in the middle stands in both
        yield [f"{minute},{draw.randint(10_000, 90_000)}" for minute in minutes[first:last]]


def _elb() -> Iterator[list[str]]:
    draw = random.Random(14)
    yield [
        "timestamp,value",
        *(f"{at:%Y-%m-%d %H:%M:%S},{draw.randint(0, 600)}.0" for at in _moments(300, 500)),
    ]


def _azure() -> Iterator[list[str]]:
    draw, at = random.Random(23), datetime(2023, 11, 16, 18, 17, tzinfo=UTC)
    rows = ["TIMESTAMP,ContextTokens,GeneratedTokens"]
    for _ in range(800):
        at += timedelta(seconds=draw.expovariate(5))
        rows.append(f"{at:%Y-%m-%d %H:%M:%S.%f}0,{draw.randint(1, 5000)},{draw.randint(1, 100)}")
    yield rows
