"""The few questions the kit asks a container engine, over its HTTP interface.

The interface is the Docker Engine API (https://docs.docker.com/reference/api/engine/), as any engine
since 20.10 speaks it. Everything that changes containers is left to the `docker` and `kind` programs.
"""

from __future__ import annotations

import errno
import json
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tidegate.errors import TidegateError
from tidegate.host.endpoint import Endpoint


class EngineVersion(BaseModel):
    """Answer to `GET /version`."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    version: str = Field(alias="Version")
    api_version: str = Field(default="", alias="ApiVersion")
    os: str = Field(default="", alias="Os")
    arch: str = Field(default="", alias="Arch")


class EngineInfo(BaseModel):
    """The part of `GET /info` the kit looks at."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    driver: str = Field(default="", alias="Driver", description="Storage driver.")
    data_root: str = Field(default="", alias="DockerRootDir")
    cgroup_version: str = Field(default="1", alias="CgroupVersion")
    cgroup_driver: str = Field(default="", alias="CgroupDriver")
    default_runtime: str = Field(default="runc", alias="DefaultRuntime")
    cpus: int = Field(default=0, alias="NCPU", description="Cores the engine may use.")
    memory_bytes: int = Field(default=0, alias="MemTotal")
    operating_system: str = Field(default="", alias="OperatingSystem")
    security_options: list[str] | None = Field(default=None, alias="SecurityOptions")

    @property
    def rootless(self) -> bool:
        """Whether the engine itself runs without root."""
        return any("name=rootless" in option for option in self.security_options or ())


class Port(BaseModel):
    """One published port of a container."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    ip: str = Field(default="", alias="IP")
    public: int = Field(default=0, alias="PublicPort")


class Container(BaseModel):
    """One running container."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    names: list[str] = Field(default_factory=list[str], alias="Names")
    ports: list[Port] = Field(default_factory=list[Port], alias="Ports")


_M = TypeVar("_M", bound=BaseModel)
_CONTAINERS = TypeAdapter(list[Container])
_REACHED = (200, 401, 403, 404)


class EngineApi:
    """Questions to one engine. Each has a connection of its own, so there is nothing to close.

    Args:
        endpoint: where it answers.
        timeout_s: seconds for each question.

    Raises:
        TidegateError: the endpoint is none that can be used.
    """

    def __init__(self, endpoint: Endpoint, *, timeout_s: float = 3.0) -> None:
        self._endpoint = endpoint
        self._connect = _connector(endpoint, timeout_s)

    def ping(self) -> None:
        """Return if the engine answers.

        Raises:
            TidegateError: it does not.
        """
        self._get("/_ping")

    def version(self) -> EngineVersion:
        """The engine's version."""
        return self._model(EngineVersion, "/version")

    def info(self) -> EngineInfo:
        """What the engine says of itself and its machine."""
        return self._model(EngineInfo, "/info")

    def containers(self, label: str) -> list[Container]:
        """Running containers with this label (`name=value`)."""
        query = urlencode({"filters": json.dumps({"label": [label]})})
        return _CONTAINERS.validate_json(self._get(f"/containers/json?{query}"))

    def registry_answers(self, reference: str) -> bool:
        """Whether the engine reaches the registry of an image, by asking for the image's digest there.

        A registry that answers "no such image" or "not allowed" is reached.
        """
        try:
            status, _ = self._ask(f"/distribution/{quote(reference)}/json")
        except TidegateError:
            return False
        return status in _REACHED

    def _model(self, model: type[_M], path: str) -> _M:
        try:
            return model.model_validate_json(self._get(path))
        except ValidationError as error:
            raise TidegateError("what answers is no container engine", where=self._endpoint.host) from error

    def _get(self, path: str) -> bytes:
        status, body = self._ask(path)
        if status != HTTPStatus.OK:
            raise TidegateError(
                f"the container engine answers with status {status}", where=self._endpoint.host
            )
        return body

    def _ask(self, path: str) -> tuple[int, bytes]:
        try:
            with closing(self._connect()) as connection:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise TidegateError("the container engine does not answer", where=self._endpoint.host) from error


class _UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect; a socket that cannot is closed."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(self._timeout_s)
            connection.connect(str(self._path))
        except BaseException:
            connection.close()
            raise
        self.sock = connection


def _connector(endpoint: Endpoint, timeout_s: float) -> Callable[[], HTTPConnection]:
    path = endpoint.socket
    if path is not None:
        return lambda: _UnixConnection(path, timeout_s)
    scheme, _, address = endpoint.host.partition("://")
    if scheme not in ("tcp", "http", "https"):
        raise TidegateError(
            f"an engine behind {scheme}:// cannot be used: the cluster's ports must be on this machine",
            where=endpoint.source,
            cure="name a unix:// or tcp:// address",
        )
    address = address.rstrip("/")
    if endpoint.tls is None and scheme != "https":
        return lambda: HTTPConnection(address, timeout=timeout_s)
    context = ssl.create_default_context()
    if endpoint.tls is not None:
        try:
            context.load_verify_locations(endpoint.tls / "ca.pem")
            context.load_cert_chain(endpoint.tls / "cert.pem", endpoint.tls / "key.pem")
        except (OSError, ssl.SSLError) as error:
            raise TidegateError("the engine's TLS files cannot be read", where=str(endpoint.tls)) from error
    return lambda: HTTPSConnection(address, timeout=timeout_s, context=context)


def socket_peer(path: Path, *, timeout_s: float = 2.0) -> int:
    """Number of the process that listens at a Unix socket; 0 if it is in another PID namespace.

    Raises:
        OSError: nobody listens, or it is not for this user; `errno` says which.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        raise OSError(errno.ENOPROTOOPT, "this system does not tell who listens")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        connection.connect(str(path))
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[0])
