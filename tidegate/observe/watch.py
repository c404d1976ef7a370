"""List and watch one kind of object, for ever, and record every change once.

List first, then watch from the list's version. A stream that ends or breaks is taken up at the last version
received, so nothing is lost, only late. When the server no longer has that version (410 Gone) the objects
are listed again: what happened in between is unknown, and is noted as a gap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx

from tidegate.observe.api import CONNECT_S, FAULTS, get_json, reason, refuse
from tidegate.observe.backoff import Backoff
from tidegate.observe.outage import Outage
from tidegate.observe.protocol import (
    BrokenError,
    GoneError,
    RefusedError,
    WatchEvent,
    parse_event,
    version_of,
    whole_lines,
)
from tidegate.observe.trim import trim
from tidegate.run import RunWriter

_PAGE = "500"
_STREAM_S = 55
"""Length of a watch asked of the server; it then ends it, and the next one begins."""
_SILENCE_S = 65.0
"""Silence after which a stream is held for dead. Longer than a stream, since a quiet one says nothing."""
_SETTLE_S = 1.0
_BROKEN_AT_ONE_VERSION = 5
"""Streams broken without a single event in between, after which the version itself is suspected."""


@dataclass(frozen=True)
class Resource:
    """A kind of object and the address of its list."""

    kind: str
    path: str


def resources(namespace: str, *, vertical: bool = False) -> tuple[Resource, ...]:
    """Return what is watched for the service in `namespace`.

    Args:
        namespace: of the service.
        vertical: whether there are VerticalPodAutoscalers. Where the kind is not defined a watch of it fails.
    """
    core, apps = f"/api/v1/namespaces/{namespace}", f"/apis/apps/v1/namespaces/{namespace}"
    return (
        Resource("Pod", f"{core}/pods"),
        Resource("Node", "/api/v1/nodes"),
        Resource("Deployment", f"{apps}/deployments"),
        Resource("ReplicaSet", f"{apps}/replicasets"),
        Resource(
            "HorizontalPodAutoscaler",
            f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers",
        ),
        Resource("Event", f"{core}/events"),
        *((Resource("VerticalPodAutoscaler", f"{_VERTICAL}/{namespace}/verticalpodautoscalers"),) * vertical),
    )


_VERTICAL = "/apis/autoscaling.k8s.io/v1/namespaces"


class Watcher:
    """Watches one resource into the Run.

    Args:
        client: of the API server.
        resource: what to watch.
        run: where the records and notes go.
        on_object: called with each trimmed object that is recorded.
        backoff: pauses after a failure.
        silence_s: seconds of silence after which a stream is held for dead.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        resource: Resource,
        run: RunWriter,
        *,
        on_object: Callable[[dict[str, Any]], None] | None = None,
        backoff: Backoff | None = None,
        silence_s: float = _SILENCE_S,
    ) -> None:
        self._client = client
        self._resource = resource
        self._run = run
        self._on_object = on_object
        self._backoff = backoff or Backoff()
        self._silence_s = silence_s
        self._version = ""
        self._breaks = 0
        self._known: dict[str, dict[str, Any]] = {}
        self._outage = Outage(f"watch of {resource.kind}", run)
        self.synced = asyncio.Event()
        """Set once the first list is recorded."""

    @property
    def trouble(self) -> str:
        """What it is and how it last failed, in a few words."""
        return f"watch of {self._resource.kind}: {self._outage.why or 'no answer yet'}"

    async def run(self) -> None:
        """Watch until cancelled."""
        try:
            while True:
                await self._once()
        finally:
            self._outage.close()

    async def _once(self) -> None:
        try:
            if not self._version:
                await self._list()
            await self._watch()
        except GoneError as error:
            self._outage.broke(f"the server forgot version {self._version}: {error}", at_once=True)
            self._version = ""
            await asyncio.sleep(self._backoff.next_s())
        except FAULTS as error:
            silent = isinstance(error, httpx.ReadTimeout)  # noticed late; everything else as it happens
            self._outage.broke(f"broke off: {reason(error)}", at_once=not silent)
            if isinstance(error, BrokenError) and not isinstance(error, RefusedError):
                self._breaks += 1
            if self._breaks >= _BROKEN_AT_ONE_VERSION:
                self._version, self._breaks = "", 0
            await asyncio.sleep(self._backoff.next_s())

    async def _list(self) -> None:
        """Record every object there is as a snapshot, and those that are gone as deleted."""
        params = {"limit": _PAGE}
        items: list[dict[str, Any]] = []
        while True:
            page = await get_json(self._client, self._resource.path, params)
            items += cast("list[dict[str, Any]]", page.get("items") or [])
            version = version_of(page)
            following = cast("dict[str, Any]", page["metadata"]).get("continue")
            if not following:
                break
            params = {"limit": _PAGE, "continue": following}
        received_s = time.time()
        vanished = self._known
        self._known = {}
        for item in items:
            vanished.pop(_uid(item), None)
            self._record("SNAPSHOT", item, received_s)
        for last in vanished.values():
            self._run.cluster("DELETED", self._resource.kind, last, received_s=received_s)
        self._version = version
        self._outage.seen("listed anew; changes since the last event that did not last are unknown")
        if not self.synced.is_set():
            self._run.note(
                "info", f"watch of {self._resource.kind}: {len(items)} listed at version {version}"
            )
            self.synced.set()

    async def _watch(self) -> None:
        params = {
            "watch": "1",
            "resourceVersion": self._version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_STREAM_S),
        }
        timeout = httpx.Timeout(self._silence_s, connect=CONNECT_S)
        async with self._client.stream(
            "GET", self._resource.path, params=params, timeout=timeout
        ) as response:
            refuse(response)
            resumed = f"taken up again at version {self._version}; nothing is lost, only late"
            # That the version is forgotten may come as the stream's first event, so wait a little for it.
            settled = asyncio.get_running_loop().call_later(
                _SETTLE_S, self._outage.seen, resumed, time.monotonic()
            )
            try:
                async for line in whole_lines(response.aiter_bytes()):
                    received_s = time.time()
                    event = parse_event(line)
                    self._outage.seen(resumed)
                    self._take(event, received_s)
            finally:
                settled.cancel()
        self._outage.seen(resumed)

    def _take(self, event: WatchEvent, received_s: float) -> None:
        self._backoff.reset()
        self._breaks = 0
        self._version = event.version
        if event.type == "BOOKMARK":
            return
        last = self._known.get(_uid(event.object))
        if event.type == "DELETED":
            self._known.pop(_uid(event.object), None)
        elif last is not None and last["metadata"]["resourceVersion"] == event.version:
            return  # a stream taken up again may begin with what is known
        self._record(event.type, event.object, received_s)

    def _record(self, kind_of_change: Any, whole: dict[str, Any], received_s: float) -> None:
        kept = trim(self._resource.kind, whole)
        if kind_of_change != "DELETED":
            self._known[_uid(whole)] = kept
        self._run.cluster(kind_of_change, self._resource.kind, kept, received_s=received_s)
        if self._on_object is not None:
            self._on_object(kept)


def _uid(whole: dict[str, Any]) -> str:
    """Return the object's uid.

    Raises:
        BrokenError: it has none.
    """
    uid = whole.get("metadata", {}).get("uid")
    if not isinstance(uid, str):
        raise BrokenError("an object has no uid")
    return uid
