"""What the injector says of a fault. It is told beside the evidence, and never is evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.run.objects import condition, items, text


@dataclass(frozen=True)
class Word:
    """One reading of an object's status."""

    injected: bool
    recovered: bool
    pods: tuple[str, ...]
    """Names of the pods it chose."""
    errors: tuple[str, ...]
    """Messages of failed operations, newest last."""

    def told(self) -> dict[str, Any]:
        """Return it as the Run keeps it."""
        return {"injected": self.injected, "recovered": self.recovered, "errors": list(self.errors)}


def word(status_of: Mapping[str, Any]) -> Word:
    """Return what an object of Chaos Mesh says; a Workflow or Schedule says nothing of its faults itself."""
    pods, errors = dict[str, None](), list[str]()
    for record in items(status_of, "status", "experiment", "containerRecords"):
        # namespace/pod or namespace/pod/container
        parts = text(record, "id").split("/")
        if len(parts) > 1:
            pods[parts[1]] = None
        for event in items(record, "events"):
            if text(event, "type") == "Failed":
                errors.append(text(event, "message"))
    return Word(_is(status_of, "AllInjected"), _is(status_of, "AllRecovered"), tuple(pods), tuple(errors))


def _is(status_of: Mapping[str, Any], kind: str) -> bool:
    found = condition(status_of, kind)
    return found is not None and found.get("status") == "True"
