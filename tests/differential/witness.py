"""What the controller read and wrote at each sync, from the API server's audit log and its own log."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from differential.driver import time_of

Object = dict[str, Any]

_DECIDED = re.compile(r'I(\d{4} [\d:.]+) .*"Decided not to scale" scaleTarget="Deployment/([^/"]+)/web"')


@dataclass
class Witnessed:
    """One sync; it begins with the reading of the Scale."""

    began_s: float
    """When the Scale had been read."""
    read: Object | None
    """The Scale; None: it could not be read."""
    written: int | None = None
    """Replicas written, None: nothing was."""
    refused: bool = False
    """The last attempt to write failed."""
    status: Object | None = None
    """The autoscaler's status as it was to be written; None: it stayed as it was."""
    base: str = ""
    """Version of the autoscaler that the controller had before it, of which it took the conditions."""
    version: str = ""
    """Version of the autoscaler with that status; empty: `base` was old, and the status was refused."""
    decided_s: float | None = None
    """A moment after all was decided, before the next sync."""
    scaled_s: float | None = None
    """When the Scale had been written."""
    stored_s: float | None = None
    """A moment after the change was remembered."""
    next_s: float | None = None
    """When the next sync began to read; None for the last one, which may not have ended."""
    reads_again: bool = False
    """The next reading of the Scale belongs to this sync too."""


def witnessed(audit: Path, log: Path) -> dict[str, list[Witnessed]]:
    """Return the syncs of each namespace, in order."""
    by_namespace = defaultdict[str, list[Object]](list)
    for line in audit.read_text().splitlines():
        event = json.loads(line)
        by_namespace[event["objectRef"]["namespace"]].append(event)
    decided = _decided(log)
    return {
        namespace: list(_syncs(events, decided.get(namespace, [])))
        for namespace, events in by_namespace.items()
    }


def _syncs(events: list[Object], decided: list[float]) -> Iterable[Witnessed]:
    # One autoscaler's requests follow each other: the order of their arrival is the order of its syncs.
    events.sort(key=lambda event: time_of(event["requestReceivedTimestamp"]))
    found = list[Witnessed]()
    for event in events:
        came_s, code = time_of(event["requestReceivedTimestamp"]), event["responseStatus"]["code"]
        now = found[-1] if found else None
        if event["verb"] == "get":
            if now is not None and now.reads_again:
                now.reads_again = False
                continue
            if now is not None:
                now.next_s = came_s
            scale = event["responseObject"] if code == 200 else None
            found.append(Witnessed(time_of(event["stageTimestamp"]), scale))
        elif now is None:
            continue
        elif event["objectRef"]["resource"] == "deployments":
            # After a refused write the controller reads the Scale again, whether or not it then tries again.
            now.reads_again = now.refused = code != 200
            now.decided_s = now.decided_s or came_s
            if code == 200:
                now.scaled_s = time_of(event["stageTimestamp"])
                now.written = event["requestObject"]["spec"].get("replicas", 0)
        else:
            now.status, now.stored_s = event["requestObject"]["status"], came_s
            now.decided_s = now.decided_s or came_s
            now.base = event["requestObject"]["metadata"]["resourceVersion"]
            now.version = event["responseObject"]["metadata"]["resourceVersion"] if code == 200 else ""
    for one in found:
        inside = [
            at_s for at_s in decided if at_s >= one.began_s and (one.next_s is None or at_s <= one.next_s)
        ]
        known = [*inside] if one.decided_s is None else [*inside, one.decided_s]
        one.decided_s = min(known) if known else one.next_s
    return found


def _decided(log: Path) -> dict[str, list[float]]:
    """Return the moments at which the controller's log says that it decided, by namespace."""
    found, year = defaultdict[str, list[float]](list), datetime.now(UTC).year
    for line in log.read_text(errors="replace").splitlines():
        match = _DECIDED.match(line)
        if match is not None:
            moment = datetime.strptime(f"{year}{match[1]} +0000", "%Y%m%d %H:%M:%S.%f %z")
            found[match[2]].append(moment.timestamp())
    return found
