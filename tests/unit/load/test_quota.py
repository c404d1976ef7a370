from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tidegate.load.quota import cpu_quota

Make = Callable[[Path], Path]


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def v2(folder: Path, limit: str) -> Path:
    return written(
        folder, cpu_dot_max=limit, cpu_dot_stat="usage_usec 2500000\nuser_usec 1\nthrottled_usec 3\n"
    )


def v1(folder: Path, quota: str, *, apart: bool = True) -> Path:
    controllers = "cpu" if apart else "cpu,cpuacct"
    files = {
        f"{controllers}__cpu_dot_cfs_quota_us": quota,
        f"{controllers}__cpu_dot_cfs_period_us": "100000\n",
        f"{'cpuacct' if apart else controllers}__cpuacct_dot_usage": "2500000000\n",
    }
    return written(folder, **files)


BOUND: dict[str, Make] = {
    "v2": lambda folder: v2(folder, "50000 100000\n"),
    "v1": lambda folder: v1(folder, "50000\n"),
    "v1 mounted together": lambda folder: v1(folder, "50000\n", apart=False),
}
UNBOUND: dict[str, Make] = {
    "v2": lambda folder: v2(folder, "max 100000\n"),
    "v1": lambda folder: v1(folder, "-1\n"),
    "no cgroups": lambda folder: folder,
    "nonsense": lambda folder: v2(folder, "nonsense"),
}


@pytest.mark.parametrize("kind", BOUND)
def test_a_bound_and_what_is_used(tmp_path: Path, kind: str) -> None:
    found = cpu_quota(BOUND[kind](tmp_path))
    assert found is not None
    assert (found.cores, found.used_s()) == (0.5, pytest.approx(2.5))


@pytest.mark.parametrize("kind", UNBOUND)
def test_no_bound(tmp_path: Path, kind: str) -> None:
    assert cpu_quota(UNBOUND[kind](tmp_path)) is None


def test_a_file_that_is_gone_counts_nothing(tmp_path: Path) -> None:
    found = cpu_quota(v2(tmp_path, "50000 100000\n"))
    assert found is not None
    (tmp_path / "cpu.stat").unlink()
    assert found.used_s() == 0.0
