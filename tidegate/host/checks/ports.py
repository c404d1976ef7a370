"""Ports on this machine that the cluster is reached at."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from tidegate.host.daemon.processes import arguments
from tidegate.host.engine_api import Container
from tidegate.host.facts import Facts
from tidegate.host.report import Check, Outcome

_LOOPBACK = "127.0.0.1"
_LISTEN = "0A"
"""State of a listening socket in `/proc/net/tcp`, see proc(5)."""


def is_free(port: int) -> bool | None:
    """Whether a program of this user could listen there; None where it may not (a port below 1024)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError as error:
            return None if error.errno == errno.EACCES else False
    return True


def listening_inodes(tcp: str, port: int) -> set[str]:
    """Inodes of the sockets that listen at a port, from the text of `/proc/net/tcp` or `tcp6`."""
    found: set[str] = set()
    for line in tcp.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
            found.add(fields[9])
    return found


def listener(port: int, *, proc: Path = Path("/proc")) -> str:
    """The program that listens at a port, as "nginx, pid 12"; empty if that cannot be seen."""
    inodes: set[str] = set()
    for table in ("tcp", "tcp6"):
        path = proc / "net" / table
        if path.is_file():
            inodes |= listening_inodes(path.read_text(), port)
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for entry in proc.iterdir() if wanted else ():
        if not entry.name.isdigit():
            continue
        try:
            held = any(str(link.readlink()) in wanted for link in (entry / "fd").iterdir())
        except OSError:
            continue
        if held:
            return f"{Path((arguments(int(entry.name)) or ['?'])[0]).name}, pid {entry.name}"
    return ""


def published_by(nodes: list[Container], port: int) -> str:
    """Name of the cluster's container that publishes the port; empty if none does."""
    for node in nodes:
        if any(each.public == port for each in node.ports):
            return (node.names or ["?"])[0].lstrip("/")
    return ""


def judge_port(name: str, port: int, *, free: bool | None, node: str, holder: str) -> Check:
    """A port is good if it is free, or held by our own cluster."""

    def check(outcome: Outcome, found: str, cure: str = "") -> Check:
        return Check(group="ports", name=name, outcome=outcome, found=found, cure=cure)

    at = f"{_LOOPBACK}:{port}"
    if node:
        return check(Outcome.OK, f"{at} is held by our own cluster ({node})")
    if free:
        return check(Outcome.OK, f"{at} is free")
    if free is None:
        return check(Outcome.WARN, f"{at} cannot be tried by this user", "choose a port above 1023")
    who = f" by {holder}" if holder else ""
    return check(
        Outcome.FAIL, f"{at} is taken{who}", "end that program, or choose another port for the cluster"
    )


def _port_check(name: str, port: int, facts: Facts) -> Check:
    free = is_free(port)
    node = "" if free else published_by(facts.cluster_nodes(), port)
    return judge_port(name, port, free=free, node=node, holder=listener(port) if free is False else "")


def gateway_port_check(facts: Facts) -> Check:
    """The port that requests go to."""
    return _port_check("gateway port", facts.wanted.gateway_port, facts)


def api_port_check(facts: Facts) -> list[Check]:
    """The port of the cluster's API; nothing to see where any free one will be taken."""
    port = facts.wanted.api_port
    return [] if port is None else [_port_check("API port", port, facts)]
