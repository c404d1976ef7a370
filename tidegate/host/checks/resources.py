"""Cores, memory and disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from tidegate.host.daemon.layout import Layout
from tidegate.host.facts import Facts
from tidegate.host.report import Check, Outcome

GIB = 1024**3
GB = 1000**3
MEMORY_GOOD_GIB = 6.0
MEMORY_LEAST_GIB = 4.0
"""A control plane, a worker, the service's pods, Prometheus and the load generator fit in the first,
closely in the second."""
CPU_GOOD = 4
CPU_LEAST = 2
COLD_GB = 30
WARM_GB = 10
"""Disk for building everything from package registries, and for running what is there already."""


def _check(name: str, outcome: Outcome, found: str, cure: str = "") -> Check:
    return Check(group="resources", name=name, outcome=outcome, found=found, cure=cure)


def judge_cpu(here: int, engine: int) -> Check:
    """Cores for this process, and for the engine if it runs elsewhere; the smaller number counts."""
    cores = min(here, engine) if engine else here
    if cores < CPU_LEAST:
        return _check("cpu", Outcome.FAIL, f"{cores} core", f"use a machine with {CPU_LEAST} cores or more")
    if cores < CPU_GOOD:
        return _check(
            "cpu",
            Outcome.WARN,
            f"{cores} cores: load generator and service share them, so high rates measure the machine",
            f"{CPU_GOOD} cores or more for figures about the service",
        )
    return _check("cpu", Outcome.OK, f"{cores} cores")


def cpu_check(facts: Facts) -> Check:
    """Cores that may be used."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    info = facts.info()
    return judge_cpu(here, info.cpus if info else 0)


def memory_available_bytes(meminfo: str) -> int | None:
    """MemAvailable from the text of `/proc/meminfo`; None if it is not told."""
    for line in meminfo.splitlines():
        key, _, value = line.partition(":")
        words = value.split()
        if key == "MemAvailable" and words and words[0].isdigit():
            return int(words[0]) * 1024
    return None


def judge_memory(available_bytes: int, *, cluster_runs: bool) -> Check:
    """Memory that is free now. A cluster that runs already has taken its share."""
    free_gib = available_bytes / GIB
    found = f"{free_gib:.1f} GiB free"
    if cluster_runs:
        return _check("memory", Outcome.OK, f"{found} beside the running cluster")
    if free_gib >= MEMORY_GOOD_GIB:
        return _check("memory", Outcome.OK, found)
    outcome = Outcome.WARN if free_gib >= MEMORY_LEAST_GIB else Outcome.FAIL
    return _check("memory", outcome, found, f"free memory until there are {MEMORY_GOOD_GIB:.0f} GiB")


def memory_check(facts: Facts) -> list[Check]:
    """Memory for the cluster; the engine's own where it runs in a virtual machine."""
    meminfo = facts.proc / "meminfo"
    if meminfo.is_file():
        available = memory_available_bytes(meminfo.read_text())
    else:
        info = facts.info()
        available = info.memory_bytes if info else None
    if available is None:
        return []
    return [judge_memory(available, cluster_runs=bool(facts.cluster_nodes()))]


def judge_disk(free_gb: float, places: str, *, cold: bool, registry: bool | None) -> Check:
    """Disk at one file system.

    Args:
        free_gb: what is free, in 10^9 bytes.
        places: what is kept there, for people.
        cold: nothing is in the cache yet.
        registry: whether images can be pulled, so that nothing must be built.
    """
    name = f"disk for {places}"
    found = f"{free_gb:.0f} GB free"
    if free_gb < WARM_GB:
        return _check(name, Outcome.FAIL, found, f"free disk until there are {WARM_GB} GB")
    if not cold or free_gb >= COLD_GB:
        return _check(name, Outcome.OK, found)
    cure = f"free disk until there are {COLD_GB} GB, or point TIDEGATE_CACHE and TIDEGATE_STATE elsewhere"
    if registry:
        return _check(name, Outcome.WARN, f"{found}: enough to pull images, not to build them", cure)
    return _check(
        name, Outcome.FAIL, f"{found}: too little to build the images, which no registry offers", cure
    )


def by_file_system(places: Mapping[str, Path]) -> list[tuple[str, Path]]:
    """Places joined by the file system they are on: ("cache and engine", folder).

    A folder that is not there yet counts as the nearest one above it that is.
    """
    joined: dict[int, tuple[list[str], Path]] = {}
    for name, wanted in places.items():
        folder = next((p for p in (wanted, *wanted.parents) if p.exists()), Path("/"))
        joined.setdefault(folder.stat().st_dev, ([], folder))[0].append(name)
    return [(" and ".join(names), folder) for names, folder in joined.values()]


def disk_check(facts: Facts) -> list[Check]:
    """Disk where the cache and the engine's data are."""
    info = facts.info()
    data = Path(info.data_root) if info and info.data_root else Layout.of(facts.state).data
    places = {"cache": facts.cache}
    if info is None or data.exists():  # an engine in a virtual machine keeps its data where we cannot look
        places["engine"] = data
    cold = facts.cold()
    registry = facts.registry_answers() if cold else None
    return [
        judge_disk(shutil.disk_usage(folder).free / GB, names, cold=cold, registry=registry)
        for names, folder in by_file_system(places)
    ]
