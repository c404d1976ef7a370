"""What several checks want to know, asked once and at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import yaml

from tidegate.errors import TidegateError
from tidegate.host.engine import Engine, Probe, probes
from tidegate.host.engine_api import Container, EngineInfo
from tidegate.host.paths import cache_dir, project_root, state_dir
from tidegate.host.pending import Pending
from tidegate.host.registries import registry_answers

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
"""kind's own label on the containers that are a cluster's nodes."""
_REGISTRY_S = 4.0


@dataclass(frozen=True)
class Wanted:
    """What the machine is checked for."""

    cluster_name: str = "tidegate"
    gateway_port: int = 8080
    api_port: int | None = None


class Facts:
    """Answers that take time. Asking starts with the object, so that all of it runs at once.

    Args:
        wanted: what the machine is checked for.
        deadline_s: seconds from now by which every answer must be there.
    """

    def __init__(self, wanted: Wanted, *, deadline_s: float) -> None:
        self.wanted = wanted
        self.proc = Path("/proc")
        self.state = state_dir()
        self.cache = cache_dir()
        self._until_s = time.monotonic() + deadline_s
        self._probes = Pending(probes)
        self._info = Pending(self._ask_info)
        self._nodes = Pending(self._ask_nodes)
        self._registry = Pending(self._ask_registry)

    def left_s(self) -> float:
        """Seconds until the deadline, at least a tenth."""
        return max(0.1, self._until_s - time.monotonic())

    def probes(self) -> list[Probe]:
        """Every endpoint that was asked, the one that answered last."""
        return self._probes.get(self.left_s())

    def engine(self) -> Engine | None:
        """The engine that answers, or None."""
        found = self.probes()
        return found[-1].engine if found else None

    def info(self) -> EngineInfo | None:
        """What the engine says of itself; None without one."""
        return self._info.get(self.left_s())

    def cluster_nodes(self) -> list[Container]:
        """Running containers of our cluster; empty without an engine or a cluster."""
        return self._nodes.get(self.left_s())

    def registry_answers(self) -> bool | None:
        """Whether the registry of the catalogue's images answers; None if there was no way to ask.

        A name server that keeps silent counts as no answer, early enough for others to act on it.
        """
        try:
            return self._registry.get(min(_REGISTRY_S + 1.0, self.left_s() - 1.0))
        except TimeoutError:
            return False

    def cold(self) -> bool:
        """Whether nothing has been built or pulled into the cache yet."""
        return not self.cache.is_dir() or next(self.cache.iterdir(), None) is None

    def _ask_info(self) -> EngineInfo | None:
        engine = self.engine()
        return None if engine is None else engine.info()

    def _ask_nodes(self) -> list[Container]:
        engine = self.engine()
        if engine is None:
            return []
        return engine.api().containers(f"{CLUSTER_LABEL}={self.wanted.cluster_name}")

    def _ask_registry(self) -> bool | None:
        return registry_answers(
            upstream_references(), self.engine(), timeout_s=min(_REGISTRY_S, self.left_s())
        )


def upstream_references() -> list[str]:
    """The images the catalogue would pull; none where there is no catalogue."""
    try:
        text = (project_root() / "images" / "catalogue.yaml").read_text(encoding="utf-8")
        return list(upstreams(yaml.safe_load(text)))
    except (OSError, TidegateError, yaml.YAMLError):
        return []


def upstreams(document: object) -> Iterator[str]:
    """The values of all keys `upstream` in a document: references, or mappings with their name and tag."""
    if isinstance(document, dict):
        mapping = cast("dict[object, object]", document)
        value = mapping.get("upstream")
        if isinstance(value, str) and value:
            yield value
        elif isinstance(value, dict):
            parts = cast("dict[object, object]", value)
            name = parts.get("name") or parts.get("repository") or parts.get("image")
            if isinstance(name, str):
                yield f"{name}:{parts['tag']}" if "tag" in parts else name
        for key, child in mapping.items():
            if key != "upstream":
                yield from upstreams(child)
    elif isinstance(document, list):
        for child in cast("list[object]", document):
            yield from upstreams(child)
