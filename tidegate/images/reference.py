"""Names of images: what registry they are on, how the engine prints them, where a mirror has them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tidegate.errors import TidegateError

_HUB = "docker.io"
_HUB_API = "registry-1.docker.io"


@dataclass(frozen=True)
class Reference:
    """An image's full name.

    Args:
        host: registry host, with port if any.
        repository: path on that registry.
        tag: tag.
    """

    host: str
    repository: str
    tag: str

    @property
    def api_host(self) -> str:
        """The host that answers the registry's API."""
        return _HUB_API if self.host == _HUB else self.host

    @property
    def familiar(self) -> str:
        """The name as the engine prints it: without Docker Hub's own host and its `library`."""
        repository = self.repository
        if self.host != _HUB:
            repository = f"{self.host}/{repository}"
        elif repository.count("/") == 1:
            repository = repository.removeprefix("library/")
        return f"{repository}:{self.tag}"

    def on_mirror(self, mirror: str) -> str:
        """Return where a mirror has it: the same repository and tag below the mirror's address.

        Args:
            mirror: host, port and perhaps a path, as 127.0.0.1:5000 or mirror.example/hub.
        """
        return f"{mirror.rstrip('/')}/{self.repository}:{self.tag}"

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}:{self.tag}"


def parse(text: str) -> Reference:
    """Read `[host/]repository:tag` as the engine would.

    Raises:
        TidegateError: it has no tag, or names a digest.
    """
    head, _, last = text.rpartition("/")
    name, colon, tag = last.partition(":")
    if "@" in text or not colon or not tag or not name:
        raise TidegateError(f"{text!r} is not an image with a tag", cure="write it as repository:tag")
    parts = [*head.split("/"), name] if head else [name]
    first = parts[0]
    if len(parts) > 1 and ("." in first or ":" in first or first == "localhost"):
        host, path = first, parts[1:]
    else:
        host, path = _HUB, parts
    if host == _HUB and len(path) == 1:
        path = ["library", *path]
    return Reference(host, "/".join(path), tag)


def mirror_setting() -> str | None:
    """Return TIDEGATE_REGISTRY_MIRROR (host:port with an optional path), or None."""
    return os.environ.get("TIDEGATE_REGISTRY_MIRROR") or None
