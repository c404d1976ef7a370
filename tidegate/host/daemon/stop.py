"""Ending an engine of our own, however much of it is left, and taking away its traces."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tidegate.errors import TidegateError
from tidegate.host.daemon.cgroups import container_groups, container_ids, remove_groups
from tidegate.host.daemon.firewall import leftovers
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.links import DEFAULT_BRIDGE, Bridge, bridges, network_bridges, remove_bridge
from tidegate.host.daemon.mounts import remove_tree, unmount_below
from tidegate.host.daemon.owned import Owned, other_engines, owned
from tidegate.host.daemon.processes import arguments, descendants, end
from tidegate.host.daemon.record import Before, Record, boot_id, read_record
from tidegate.host.progress import step
from tidegate.proc import run

_CONTAINERD_GRACE_S = 10.0
FOREIGN_FOLDERS = (
    "/run/containerd/s",
    "/run/containerd",
    "/run/docker/plugins",
    "/run/docker",
    "/etc/docker",
)
"""Folders outside ours that the daemons make at fixed places, the inner ones first."""


class Stopped(BaseModel):
    """What stopping an engine did."""

    model_config = ConfigDict(frozen=True)

    was_running: bool = Field(description="Whether any process of it ran.")
    crashed: bool = Field(default=False, description="Whether dockerd had ended before its containers.")
    bridges: tuple[str, ...] = Field(default=(), description="Network bridges that were removed.")
    firewall_changes: int = Field(default=0, description="Firewall rules and chains that were removed.")
    data_removed: bool = Field(default=False, description="Whether images, containers and volumes are gone.")


def stop(layout: Layout, *, remove_data: bool) -> Stopped:
    """See `engine.stop_engine`. Safe to call again after any interruption."""
    if not layout.root.exists() and not layout.run.exists():
        return Stopped(was_running=False)
    record = read_record(layout.record)
    running = owned(layout)
    if record is None and not running and not (remove_data and layout.data.exists()):
        return Stopped(was_running=False)
    if os.geteuid() != 0:
        raise TidegateError("only root can stop the engine that root started", cure="run as root")
    with step("Stopping the container engine"):
        _end_processes(layout, running, record)
        bridges_gone, changes = _clean_network(layout, record)
        _clean_files(layout, record)
        if remove_data:
            _remove_data(layout)
    return Stopped(
        was_running=bool(running),
        crashed=bool(running) and not running.dockerd,
        bridges=tuple(bridges_gone),
        firewall_changes=changes,
        data_removed=remove_data,
    )


def _end_processes(layout: Layout, running: Owned, record: Record | None) -> None:
    """dockerd first, which ends its containers; then containers it did not end; then containerd."""
    allowed_s = record.settings.shutdown_timeout_s if record is not None else 20
    stuck = end(running.dockerd, grace_s=allowed_s + 20.0)
    left = owned(layout)
    # A shim that is killed leaves its container running, so the containers' processes go with it.
    orphans = [*descendants(left.shims), *left.shims]
    groups = container_groups(container_ids(arguments(shim.pid) for shim in left.shims))
    stuck += end(orphans, grace_s=0.5)
    remove_groups(groups)
    stuck += end(left.containerd, grace_s=_CONTAINERD_GRACE_S)
    if stuck:
        numbers = ", ".join(str(each.pid) for each in stuck)
        raise TidegateError(f"processes of the engine do not end: {numbers}", where=str(layout.root))


def _clean_network(layout: Layout, record: Record | None) -> tuple[list[str], int]:
    """Remove our bridges and firewall chains. After a reboot there are none: both live in the kernel."""
    if record is None or record.boot_id != boot_id():
        return [], 0
    others = bool(other_engines(layout))
    there = bridges()
    ours = [there[name] for name in _own_bridges(layout, record, others=others) if name in there]
    changes = 0
    if record.settings.iptables:
        changes += _clean_firewall("iptables", record.before.iptables, ours, shared=others)
        changes += _clean_firewall("ip6tables", record.before.ip6tables, ours, shared=others)
    for bridge in ours:
        remove_bridge(bridge.name)
    return [bridge.name for bridge in ours], changes


def _own_bridges(layout: Layout, record: Record, *, others: bool) -> list[str]:
    names = network_bridges(layout.data)
    if record.settings.bridge is not None:
        names.add(record.settings.bridge)
    elif not others:
        names.add(DEFAULT_BRIDGE)
    return sorted(names - set(record.before.bridges))


def _clean_firewall(program: str, before: str | None, ours: list[Bridge], *, shared: bool) -> int:
    if before is None:
        return 0
    now = run([f"{program}-save"], check=False, timeout_s=20)
    done = 0
    for words in leftovers(before, now.stdout, ours, shared=shared):
        done += run([program, "--wait", "10", *words], check=False, timeout_s=20).returncode == 0
    return done


def _clean_files(layout: Layout, record: Record | None) -> None:
    """Unmount everything below our folders and remove what only a running engine needs."""
    held = unmount_below([layout.root, layout.run]) or remove_tree(layout.exec_root)
    if held:
        raise TidegateError(
            "folders of the container engine stay mounted",
            where=", ".join(map(str, held[:3])),
            cure="unmount them",
        )
    sockets = (layout.socket, layout.containerd_socket, Path(f"{layout.containerd_socket}.ttrpc"))
    for path in (*sockets, layout.pid_file):
        path.unlink(missing_ok=True)
    if layout.run != layout.root:
        with contextlib.suppress(OSError):
            layout.run.rmdir()
    if record is not None:
        _remove_foreign(record.before)
    layout.record.unlink(missing_ok=True)


def _remove_foreign(before: Before) -> None:
    """Take away the empty folders and the key that the daemons make at fixed places outside ours."""
    made_key = Path("/etc/docker/key.json")
    if "/etc/docker" not in before.folders:
        made_key.unlink(missing_ok=True)
    for folder in FOREIGN_FOLDERS:
        if folder not in before.folders:
            with contextlib.suppress(OSError):  # somebody else has put something there since
                Path(folder).rmdir()


def _remove_data(layout: Layout) -> None:
    held = remove_tree(layout.root)
    if held:
        raise TidegateError(
            "the container engine's data stays mounted",
            where=", ".join(map(str, held[:3])),
            cure="unmount it",
        )
