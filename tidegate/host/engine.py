"""The container engine: the one that answers, or one of our own.

`find_engine` uses what is there and leaves it as it is. `start_engine` and `stop_engine` concern only an
engine of our own; nothing here ever stops or configures another.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.capabilities import lacks_sys_resource
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.processes import arguments
from tidegate.host.daemon.settings import EngineSettings
from tidegate.host.daemon.start import start
from tidegate.host.daemon.stop import Stopped, stop
from tidegate.host.endpoint import OWN_SOURCE, Endpoint, endpoints
from tidegate.host.engine_api import EngineApi, EngineInfo, EngineVersion, socket_peer

__all__ = [
    "Engine",
    "EngineSettings",
    "Probe",
    "Stopped",
    "find_engine",
    "probes",
    "start_engine",
    "stop_engine",
]


@dataclass(frozen=True)
class Engine:
    """A container engine that answered.

    Args:
        endpoint: where.
        version: what it said.
    """

    endpoint: Endpoint
    version: EngineVersion

    @property
    def host(self) -> str:
        """Its address, as DOCKER_HOST wants it."""
        return self.endpoint.host

    @property
    def ours(self) -> bool:
        """Whether we started it: only then may `stop_engine` end it."""
        return self.endpoint.source == OWN_SOURCE

    def env(self) -> dict[str, str]:
        """What a child process (docker, kind, pulumi) needs in its environment to talk to this engine."""
        if self.endpoint.tls is None:
            return {"DOCKER_HOST": self.host, "DOCKER_TLS_VERIFY": ""}
        return {
            "DOCKER_HOST": self.host,
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self.endpoint.tls),
        }

    def api(self, *, timeout_s: float = 3.0) -> EngineApi:
        """Questions to it."""
        return EngineApi(self.endpoint, timeout_s=timeout_s)

    def info(self) -> EngineInfo:
        """What the engine says of itself."""
        return self.api().info()

    def daemon_pid(self) -> int | None:
        """Number of the process that listens for it on this machine, if that can be seen."""
        if self.endpoint.socket is None:
            return None
        try:
            return socket_peer(self.endpoint.socket) or None
        except OSError:
            return None

    def runs_privileged(self) -> bool | None:
        """Whether privileged containers can start, as far as CAP_SYS_RESOURCE decides it; None if unknown."""
        pid = self.daemon_pid()
        lacking = None if pid is None else lacks_sys_resource(pid)
        if lacking is None:
            return None
        return not lacking or self.info().default_runtime != "runc"


@dataclass(frozen=True)
class Probe:
    """What came of asking one endpoint: an engine, or why not."""

    endpoint: Endpoint
    engine: Engine | None
    reason: str = ""

    @property
    def forbidden(self) -> bool:
        """Whether something listens that this user may not talk to."""
        return self.reason == "permission denied"


def probe(endpoint: Endpoint, *, timeout_s: float = 3.0) -> Probe:
    """Ask one endpoint. Never raises for an engine that is not there."""
    if endpoint.socket is not None:
        try:
            socket_peer(endpoint.socket)
        except PermissionError:
            return Probe(endpoint, None, "permission denied")
        except FileNotFoundError:
            return Probe(endpoint, None, "no such socket")
        except ConnectionRefusedError:
            return Probe(endpoint, None, "nobody listens")
        except OSError as error:
            if error.errno != errno.ENOPROTOOPT:
                return Probe(endpoint, None, error.strerror or "no answer")
    try:
        api = EngineApi(endpoint, timeout_s=timeout_s)
        api.ping()
        return Probe(endpoint, Engine(endpoint, api.version()))
    except TidegateError as error:
        return Probe(endpoint, None, error.what)


def probes(state: Path | None = None, *, env: Mapping[str, str] | None = None) -> list[Probe]:
    """Ask the endpoints one after the other until one answers; the last one is that, if any."""
    wanted = endpoints(os.environ if env is None else env, home=Path.home(), layout=Layout.of(state))
    found: list[Probe] = []
    for endpoint in wanted:
        found.append(probe(endpoint))
        if found[-1].engine is not None:
            break
    return found


def find_engine(state: Path | None = None, *, env: Mapping[str, str] | None = None) -> Engine | None:
    """The engine that answers, or None.

    Args:
        state: state folder of an engine of our own; the user's by default.
        env: environment to read DOCKER_HOST and its kin from; this process's by default.

    Raises:
        TidegateError: DOCKER_HOST or DOCKER_CONTEXT names an engine, and that one does not answer.
    """
    tried = probes(state, env=env)
    if tried and tried[-1].engine is not None:
        return tried[-1].engine
    for each in tried:
        if each.endpoint.demanded:
            raise TidegateError(
                f"the container engine that {each.endpoint.source} names does not answer: {each.reason}",
                where=each.endpoint.host,
                cure="start it, or unset the variable",
            )
    return None


def start_engine(settings: EngineSettings | None = None, *, state: Path | None = None) -> Engine:
    """Start an engine of our own, or return it if it runs already. It outlives this process.

    Raises:
        TidegateError: not root, a program is missing, another engine runs without answering, or the
            engine failed (with its log's telling line). What was started is ended again.
    """
    layout = Layout.of(state)
    own = Endpoint(layout.host, OWN_SOURCE)
    running = probe(own).engine
    if running is not None:
        return running

    def answers() -> bool:
        return probe(own, timeout_s=1.0).engine is not None

    start(layout, settings or EngineSettings(), answers)
    started = probe(own)
    if started.engine is None:
        raise TidegateError(
            f"the engine that was just started does not answer: {started.reason}", where=layout.host
        )
    return started.engine


def stop_engine(*, state: Path | None = None, remove_data: bool = False) -> Stopped:
    """End our own engine, if any, and take away what it left: mounts, bridges, firewall chains.

    Args:
        state: state folder of the engine; the user's by default.
        remove_data: also delete its images, containers and volumes.

    Raises:
        TidegateError: not root while there is something to do, or something could not be taken away.
    """
    return stop(Layout.of(state), remove_data=remove_data)


def describe_daemon(engine: Engine) -> str:
    """Who runs the engine, for people."""
    pid = engine.daemon_pid()
    if engine.ours:
        return f"started by tidegate, pid {pid}" if pid else "started by tidegate"
    if pid is None:
        return f"from {engine.endpoint.source}"
    program = Path((arguments(pid) or ["unknown"])[0]).name
    started_by = "systemd's socket" if pid == 1 else f"{program} pid {pid}"
    return f"from {engine.endpoint.source}, {started_by}"
