"""Starting an engine of our own."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.capabilities import lacks_sys_resource
from tidegate.host.daemon.config import write_config
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.links import bridges, make_bridge
from tidegate.host.daemon.logs import begin_log, read_since, telling_line
from tidegate.host.daemon.mounts import remove_tree
from tidegate.host.daemon.owned import containerd_mark, dockerd_mark, other_engines, owned
from tidegate.host.daemon.processes import Process, alive, process, spawn_detached
from tidegate.host.daemon.record import Before, Record, boot_id, read_record, write_record
from tidegate.host.daemon.settings import EngineSettings
from tidegate.host.daemon.stop import FOREIGN_FOLDERS, stop
from tidegate.host.progress import step
from tidegate.proc import run

SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_POLL_S = 0.1


def start(layout: Layout, settings: EngineSettings, answers: Callable[[], bool]) -> None:
    """Start the daemons and return when the engine answers.

    Args:
        layout: where everything goes.
        settings: how it is to be.
        answers: whether the engine answers now.

    Raises:
        TidegateError: see `engine.start_engine`. Whatever was started has then been ended, and so it has
            when the user interrupts.
    """
    if os.geteuid() != 0:
        raise TidegateError("only root can start a container engine", cure="run as root or start one")
    programs = _programs(settings)
    _refuse_second(layout, settings)
    _prepare(layout, settings)
    try:
        with step("Starting the container engine") as tell:
            _start_daemons(layout, settings, programs, answers, tell)
    except BaseException:
        stop(layout, remove_data=False)
        raise


def _programs(settings: EngineSettings) -> dict[str, str]:
    wanted = ["dockerd", "containerd", "runc", "ip", *(["iptables"] if settings.iptables else [])]
    found = {name: shutil.which(name, path=_path()) for name in wanted}
    missing = [name for name, place in found.items() if place is None]
    if missing:
        raise TidegateError(
            f"no container engine answers, and {', '.join(missing)} is not installed to start one",
            cure="install docker.io and iptables, or start any Docker engine",
        )
    return {name: place for name, place in found.items() if place is not None}


def _path() -> str:
    return os.pathsep.join(part for part in (os.environ.get("PATH", ""), SEARCH_PATH) if part)


def _refuse_second(layout: Layout, settings: EngineSettings) -> None:
    others = other_engines(layout)
    if others and settings.iptables:
        raise TidegateError(
            f"another container engine runs here (dockerd, pid {others[0].pid}) and answers at no known "
            "address; a second one would take its firewall chains away",
            cure="set DOCKER_HOST to its address, or stop it",
        )


def _prepare(layout: Layout, settings: EngineSettings) -> None:
    """Make the folders, clear what a crash left, and note what must survive our stop."""
    for folder in (layout.root, layout.run):
        folder.mkdir(parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != 0:
            raise TidegateError("the engine's folder is not root's own", where=str(folder), cure="remove it")
        folder.chmod(0o700)
    previous = read_record(layout.record)
    same_boot = previous is not None and previous.boot_id == boot_id()
    left = owned(layout)
    if left.dockerd:
        # Ours, but deaf: it hangs, or it is stopping just now.
        stop(layout, remove_data=False)
        same_boot = False
    elif not same_boot and not left:
        # Process numbers in there are another boot's: the daemons would take strangers for their own.
        remove_tree(layout.exec_root)
    for stale in (layout.pid_file, layout.socket):
        stale.unlink(missing_ok=True)
    before = previous.before if previous is not None and same_boot else _snapshot(settings)
    # Written before anything is changed: from here on, `stop` knows what to undo.
    record = Record(
        host=layout.host,
        boot_id=boot_id(),
        started_s=time.time(),
        settings=settings,
        bounded=lacks_sys_resource() is True,
        before=before,
    )
    layout.root.mkdir(exist_ok=True)
    layout.run.mkdir(mode=0o700, exist_ok=True)
    write_record(layout.record, record)
    write_config(layout, settings, bounded=record.bounded)


def _snapshot(settings: EngineSettings) -> Before:
    def save(program: str) -> str | None:
        if not settings.iptables or shutil.which(program, path=_path()) is None:
            return None
        done = run([program], check=False, timeout_s=20)
        return done.stdout if done.returncode == 0 else None

    return Before(
        iptables=save("iptables-save"),
        ip6tables=save("ip6tables-save"),
        bridges=tuple(sorted(bridges())),
        folders=tuple(folder for folder in FOREIGN_FOLDERS if Path(folder).exists()),
    )


def _start_daemons(
    layout: Layout,
    settings: EngineSettings,
    programs: dict[str, str],
    answers: Callable[[], bool],
    tell: Callable[[str], None],
) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("DOCKER_", "NOTIFY_"))}
    env["PATH"] = _path()
    if settings.bridge is not None and settings.bip is not None:
        make_bridge(settings.bridge, settings.bip)
    deadline_s = time.monotonic() + settings.ready_timeout_s
    survivors = owned(layout).containerd
    if survivors:
        containerd_pid = survivors[0].pid
    else:
        layout.containerd_socket.unlink(missing_ok=True)
        offset = begin_log(layout.containerd_log)
        command = [programs["containerd"], containerd_mark(layout), "--log-level=info"]
        containerd_pid = spawn_detached(command, log=layout.containerd_log, env=env)
        tell("containerd")
        _await(
            containerd_pid,
            lambda: _listens(layout.containerd_socket),
            deadline_s,
            name="containerd",
            log=layout.containerd_log,
            offset=offset,
        )
    offset = begin_log(layout.log)
    dockerd_pid = spawn_detached([programs["dockerd"], dockerd_mark(layout)], log=layout.log, env=env)
    record = read_record(layout.record)
    if record is not None:
        pids = {"dockerd_pid": dockerd_pid, "containerd_pid": containerd_pid}
        write_record(layout.record, record.model_copy(update=pids))
    tell("dockerd")
    _await(dockerd_pid, answers, deadline_s, name="dockerd", log=layout.log, offset=offset)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(1.0)
        return connection.connect_ex(str(path)) == 0


def _await(
    pid: int, ready: Callable[[], bool], deadline_s: float, *, name: str, log: Path, offset: int
) -> None:
    started: Process | None = process(pid)
    while not ready():
        ended = started is None or not alive(started)
        if ended or time.monotonic() > deadline_s:
            line = telling_line(read_since(log, offset)) or "it wrote nothing"
            how = "ended at once" if ended else "did not answer in time"
            raise TidegateError(f"{name} {how}: {line}", where=str(log))
        time.sleep(_POLL_S)
