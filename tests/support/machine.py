"""What a cluster may leave behind on the machine, as something that can be compared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from tidegate.host.paths import state_dir
from tidegate.proc import run

ENGINE_MOUNT = "/netns/default"
"""An engine's handle of the host's own network namespace, made for its first container whoever that belongs
to, and gone with the engine; not a cluster's."""


@dataclass(frozen=True)
class Footprint:
    """What the engine, the host and the kit's own folder hold."""

    containers: frozenset[str]
    networks: frozenset[str]
    volumes: frozenset[str]
    mounts: frozenset[str]
    rules: frozenset[str]
    interfaces: frozenset[str]
    clusters: frozenset[str]


def footprint(engine: Mapping[str, str]) -> Footprint:
    """Look at the machine now."""
    env = {**os.environ, **engine}

    def listed(*words: str) -> frozenset[str]:
        return frozenset(run(["docker", *words], env=env, timeout_s=60).stdout.split())

    clusters = state_dir() / "clusters"
    return Footprint(
        containers=listed("ps", "--all", "--quiet", "--no-trunc"),
        networks=listed("network", "ls", "--format", "{{.Name}}"),
        volumes=listed("volume", "ls", "--quiet"),
        mounts=frozenset(mount for mount in mounts() if not mount.endswith(ENGINE_MOUNT)),
        rules=rules(),
        interfaces=frozenset(path.name for path in Path("/sys/class/net").iterdir()),
        clusters=frozenset(path.name for path in clusters.iterdir()) if clusters.exists() else frozenset(),
    )


def mounts() -> list[str]:
    """Every mount point of the host."""
    return [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]


def rules() -> frozenset[str]:
    """Every chain and rule of the packet filter, without counters; empty where they cannot be read."""
    if os.geteuid() != 0 or shutil.which("iptables-save") is None:
        return frozenset()
    text = run(["iptables-save"], timeout_s=60).stdout
    return frozenset(line.split(" [")[0] for line in text.splitlines() if not line.startswith("#"))


def difference(before: Footprint, after: Footprint) -> dict[str, list[str]]:
    """What is there now and was not, by kind; empty when nothing was left."""
    found = {
        field.name: sorted(getattr(after, field.name) - getattr(before, field.name))
        for field in fields(before)
    }
    return {kind: left for kind, left in found.items() if left}
