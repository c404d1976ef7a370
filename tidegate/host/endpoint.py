"""Where a container engine may answer, in the order they are asked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tidegate.host.daemon.layout import Layout

OWN_SOURCE = "tidegate"


@dataclass(frozen=True)
class Endpoint:
    """An address an engine may answer at.

    Args:
        host: as DOCKER_HOST wants it, `unix://...` or `tcp://...`.
        source: who named it, for people: "DOCKER_HOST", "docker context NAME", a path, "tidegate".
        demanded: the user named it for this command: if it does not answer, no other is taken instead.
        tls: folder with ca.pem, cert.pem and key.pem; None for a connection without TLS.
    """

    host: str
    source: str
    demanded: bool = False
    tls: Path | None = None

    @property
    def socket(self) -> Path | None:
        """The Unix socket's path, or None for other transports."""
        scheme, _, path = self.host.partition("://")
        return Path(path) if scheme == "unix" else None


def endpoints(
    env: Mapping[str, str], *, home: Path, layout: Layout, uid: int | None = None
) -> list[Endpoint]:
    """The addresses to ask.

    DOCKER_HOST or DOCKER_CONTEXT stand alone: who sets one means that engine. Otherwise our own comes
    first, because clusters made on it live nowhere else, then the selected context, then the places
    where engines listen by default, with and without root.
    """
    own = Endpoint(layout.host, OWN_SOURCE)
    explicit = env.get("DOCKER_HOST")
    if explicit:
        if explicit == own.host:
            return [own]
        return [Endpoint(explicit, "DOCKER_HOST", demanded=True, tls=_environment_tls(env, home))]
    config = Path(env.get("DOCKER_CONFIG") or home / ".docker")
    demanded = env.get("DOCKER_CONTEXT")
    selected = context(config, demanded or _current_context(config), demanded=bool(demanded))
    if demanded and selected is not None:
        return [selected]
    number = os.getuid() if uid is None else uid
    runtime = env.get("XDG_RUNTIME_DIR") or f"/run/user/{number}"
    places = [
        Path("/var/run/docker.sock"),
        Path(runtime) / "docker.sock",
        home / ".docker/run/docker.sock",
        home / ".docker/desktop/docker.sock",
    ]
    found = [own, *([selected] if selected else []), *(Endpoint(f"unix://{p}", str(p)) for p in places)]
    seen: dict[str, Endpoint] = {}
    for each in found:
        seen.setdefault(each.host, each)
    return list(seen.values())


def context(config: Path, name: str, *, demanded: bool) -> Endpoint | None:
    """The endpoint of a docker context, from docker's own files; None for `default` or an unknown one.

    The layout is docker's: `contexts/meta/<sha256 of the name>/meta.json`, and TLS files beside it in
    `contexts/tls/<sha256>/docker` (github.com/docker/cli, cli/context/store).
    """
    if name in ("", "default"):
        return None
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = _json_object(config / "contexts/meta" / digest / "meta.json")
    parts = cast("dict[str, object]", meta.get("Endpoints") or {})
    docker = cast("dict[str, object]", parts.get("docker") or {})
    host = docker.get("Host")
    if not isinstance(host, str) or not host:
        return None
    tls = config / "contexts/tls" / digest / "docker"
    return Endpoint(host, f"docker context {name}", demanded=demanded, tls=tls if tls.is_dir() else None)


def _current_context(config: Path) -> str:
    name = _json_object(config / "config.json").get("currentContext")
    return name if isinstance(name, str) else ""


def _json_object(path: Path) -> dict[str, object]:
    try:
        document: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, object]", document) if isinstance(document, dict) else {}


def _environment_tls(env: Mapping[str, str], home: Path) -> Path | None:
    if not env.get("DOCKER_TLS_VERIFY"):
        return None
    return Path(env.get("DOCKER_CERT_PATH") or home / ".docker")
