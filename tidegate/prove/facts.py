"""What a Run says of the programs and the machine it was measured with."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

from tidegate.errors import TidegateError
from tidegate.prepare import Site
from tidegate.proc import run


def versions(site: Site) -> dict[str, str]:
    """Version of each program that takes part; what does not answer is left out."""
    found = {name: version(name) for name in ("tidegate", "locust", "pulumi", "pulumi-kubernetes", "polars")}
    found["python"] = platform.python_version()
    found["container engine"] = site.engine.version.version
    env = {**os.environ, **site.environment}
    try:
        answer = run(["kubectl", "version", "-o", "json"], env=env, timeout_s=20)
        found["kubernetes"] = cast("dict[str, Any]", json.loads(answer.stdout))["serverVersion"]["gitVersion"]
        words = ["kubectl", "get", "deploy,sts", "-A", "-o", "jsonpath={..containers[*].image}"]
        for image in sorted(set(run(words, env=env, timeout_s=20).stdout.split())):
            name, _, tag = image.rpartition(":")
            found[name.rsplit("/", 1)[-1]] = tag
    except (TidegateError, KeyError, ValueError):
        return found
    return found


def machine() -> dict[str, str]:
    """The machine in the words a reader of a report needs to judge its figures."""
    memory_kib = next(
        (line.split()[1] for line in _lines(Path("/proc/meminfo")) if line.startswith("MemTotal")), "0"
    )
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines(Path("/proc/cpuinfo")) if "model name" in line), ""
    )
    return {
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu": model or "unknown",
        "cores": str(os.cpu_count() or 0),
        "memory_gib": f"{int(memory_kib) / 1024**2:.1f}",
        "cgroup": "v2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "v1",
    }


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
