"""Follow a Pulumi operation by its engine events, for progress and for the line that tells what failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast


@dataclass
class OperationProgress:
    """What one Pulumi operation has done so far, read from its event log.

    Attributes:
        started: names of resources whose step began and has not ended.
        changed: steps ended, by operation (`create`, `update`, `delete`, `same`, ...).
        errors: diagnostics of severity error, in order.
    """

    started: dict[str, str] = field(default_factory=dict[str, str])
    changed: dict[str, int] = field(default_factory=dict[str, int])
    errors: list[str] = field(default_factory=list[str])

    @property
    def done(self) -> int:
        """Number of resource steps that ended."""
        return sum(self.changed.values())

    def current(self) -> str:
        """The resources being worked on, shortest description first three."""
        names = list(self.started.values())
        return ", ".join(names[-3:]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    def take(self, event: dict[str, Any]) -> None:
        """Account for one engine event (pulumi/sdk/go/common/apitype/events.go)."""
        if pre := event.get("resourcePreEvent"):
            metadata = pre["metadata"]
            if metadata["op"] not in ("same", "read"):
                self.started[metadata["urn"]] = f"{metadata['op']} {short_name(metadata['urn'])}"
        elif out := event.get("resOutputsEvent"):
            metadata = out["metadata"]
            self.started.pop(metadata["urn"], None)
            self.changed[metadata["op"]] = self.changed.get(metadata["op"], 0) + 1
        elif failed := event.get("resOpFailedEvent"):
            self.started.pop(failed["metadata"]["urn"], None)
        elif (diagnostic := event.get("diagnosticEvent")) and diagnostic.get("severity") == "error":
            place = short_name(diagnostic["urn"]) + ": " if diagnostic.get("urn") else ""
            self.errors.append(place + plain(diagnostic.get("message", "")))


def short_name(urn: str) -> str:
    """`urn:pulumi:local::tidegate::...$kubernetes:core/v1:Service::redis` -> `Service redis`."""
    *_, kind, name = urn.split("::")
    return f"{kind.rsplit(':', 1)[-1]} {name}"


def plain(message: str) -> str:
    """A diagnostic without Pulumi's colour marks (`<{%reset%}>`) and line breaks."""
    while (start := message.find("<{%")) >= 0 and (end := message.find("%}>", start)) >= 0:
        message = message[:start] + message[end + 3 :]
    return " ".join(message.split())


class EventLog:
    """Reads the growing event log of a running operation; an incomplete last line waits for its rest."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def new_events(self) -> Iterator[dict[str, Any]]:
        """The events written since the last call."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield cast("dict[str, Any]", json.loads(line))
