"""The server as a process of this machine: started, found again, ended.

It must outlive the `pulumi up` that starts it, so it is a session of its own, and a file beside the cluster's
others says which process it is. Number and start time together name one process for ever: a later one with
the same number is left alone.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.daemon.processes import Process, alive, end, process, spawn_detached
from tidegate.host.daemon.record import write_atomically
from tidegate.host.paths import cluster_dir
from tidegate.nodes.settings import load_settings

LOG = "nodes.log"
_RECORD = "nodes.pid"
_START_WAIT_S = 30.0
_END_WAIT_S = 240.0
"""A node that is being made is finished first; what waits is left to the next server."""
_POLL_S = 0.1


def running(cluster: str) -> bool:
    """Whether the server of `cluster` that was started last still runs."""
    return _find(cluster) is not None


def start(cluster: str) -> None:
    """Start the server of `cluster` with the settings that lie there; one that runs is ended before.

    Raises:
        TidegateError: there are no settings, or it ended or did not listen within half a minute; its last
            line is given.
    """
    host, _, port = load_settings(cluster).address.rpartition(":")
    stop(cluster)
    log = cluster_dir(cluster) / LOG
    argv = [sys.executable, "-m", "tidegate.nodes", cluster]
    found = process(spawn_detached(argv, log=log, env=os.environ))
    if found is not None:
        _remember(cluster, found)
    deadline = time.monotonic() + _START_WAIT_S
    while not _listens(host, int(port)):
        if found is None or not alive(found) or time.monotonic() > deadline:
            stop(cluster)
            raise TidegateError(f"the node server of {cluster} did not start: {_last(log)}", where=str(log))
        time.sleep(_POLL_S)


def stop(cluster: str) -> None:
    """End the server of `cluster`, if it runs. Doing it twice is no error."""
    found = _find(cluster)
    if found is not None:
        # Killed if it must be: marks in the engine say what it was about, and the next server goes on.
        end([found], grace_s=_END_WAIT_S)
    (cluster_dir(cluster) / _RECORD).unlink(missing_ok=True)


def free_port(host: str) -> int:
    """Return a TCP port that nobody uses at the address `host` now.

    Raises:
        TidegateError: the address is none of this machine's, as with an engine in a virtual machine.
    """
    with socket.socket() as probe:
        try:
            probe.bind((host, 0))
        except OSError as error:
            raise TidegateError(
                f"{host}, the cluster's network as the engine has it, is no address of this machine",
                cure="run where the engine runs; an engine in a virtual machine is not supported here",
            ) from error
        return int(probe.getsockname()[1])


def _remember(cluster: str, which: Process) -> None:
    text = json.dumps({"pid": which.pid, "start_ticks": which.start_ticks})
    write_atomically(cluster_dir(cluster) / _RECORD, text)


def _find(cluster: str) -> Process | None:
    try:
        known = json.loads((cluster_dir(cluster) / _RECORD).read_text(encoding="utf-8"))
        found = process(int(known["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if found is None or found.start_ticks != known["start_ticks"] or not alive(found):
        return None
    return found


def _listens(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
