"""Objects of a live cluster, changed so that every one is put back.

What was there is on disk before anything is changed: a later start can put back what a killed one left.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.run.folder import write_atomic
from tidegate.run.objects import dig, items, text

Object = dict[str, Any]
MANAGER = "tidegate-mutations"
"""The field manager under which changes are made."""
AS_WRITTEN = "`pulumi up --refresh` (after `tidegate env`) makes every object as the stack's files have it"
"""The cure for a stack that is otherwise; without a refresh Pulumi does not look."""
_OTHERS: Mapping[str, tuple[str, ...]] = {"Deployment": ("replicas",)}
"""Fields of the spec that somebody else keeps changing, by kind: an autoscaler's are not put back."""
_CONFLICTS = 5
_GONE_S = 30.0
_JSON = {"Content-Type": "application/json"}
_KEPT_METADATA = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True)
class Change:
    """One object on its way from what is there to what is to be there; None stands for nothing.

    Args:
        path: of the object in the API.
        to: given a copy of what is there.
    """

    path: str
    to: Callable[[Object | None], Object | None]


def edited(path: str, edit: Callable[[Object], None]) -> Change:
    """Return the change of an object that must be there."""

    def to(there: Object | None) -> Object:
        if there is None:
            raise TidegateError("the stack has no such object", where=path, cure=AS_WRITTEN)
        edit(there)
        return there

    return Change(path, to)


def removed(path: str) -> Change:
    """Return the removal of an object that must be there."""

    def to(there: Object | None) -> None:
        if there is None:
            raise TidegateError("the stack has no such object", where=path, cure=AS_WRITTEN)

    return Change(path, to)


def made(path: str, manifest: Object) -> Change:
    """Return the making of an object, in place of one that may be there."""
    return Change(path, lambda there: manifest if there is None else {**there, **manifest})


Entry = tuple[str, Object | None]
"""Path of an object, and what it was before it was changed."""


def left(journal: Path) -> list[Entry]:
    """Return what is still to be put back, in the order in which it was changed.

    Raises:
        TidegateError: the journal is damaged.
    """
    try:
        listed = json.loads(journal.read_text(encoding="utf-8"))
        return [(str(each["path"]), each["before"]) for each in listed]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TidegateError(
            f"what was there before cannot be read: {error}",
            where=str(journal),
            cure=f"{AS_WRITTEN}; then remove the file",
        ) from error


class Changes:
    """Makes changes and puts back what was there.

    Args:
        cluster: the API.
        journal: file that holds what was there, from before a change until it is put back.
    """

    def __init__(self, cluster: Cluster, journal: Path) -> None:
        self._cluster = cluster
        self._journal = journal

    def make(self, change: Change) -> None:
        """Make one change.

        Raises:
            TidegateError: the object is not there, or the API refuses.
        """

        def once() -> None:
            there = self._get(change.path)
            wanted = change.to(copy.deepcopy(there))
            self._note([*noted, (change.path, there)])
            self._set(change.path, there, wanted)

        noted = left(self._journal)
        self._again(once)

    def put_back(self) -> list[str]:
        """Put back all that was changed, the last change first; return the paths.

        Raises:
            TidegateError: one could not be put back; it and those before it stay in the journal.
        """
        done: list[str] = []
        while entries := left(self._journal):
            path, before = entries[-1]

            def once(path: str = path, before: Object | None = before) -> None:
                self._restore(path, before)

            self._again(once)
            self._note(entries[:-1])
            done.append(path)
        return done

    def _restore(self, path: str, before: Object | None) -> None:
        there = self._get(path)
        if before is None:
            self._set(path, there, None)
            return
        if there is None:
            self._set(path, None, _fresh(before))
        elif dig(there, "metadata", "uid") != dig(before, "metadata", "uid"):
            return  # somebody has made it anew since: as it should be, and not ours
        else:
            self._set(path, there, {**copy.deepcopy(there), **_content(before, there)})
        found = self._get(path)
        if found is None or _content(found, found) != _content(before, found):
            raise TidegateError("it was put back and is not as it was", where=path, cure=AS_WRITTEN)
        self._disown(path, found)

    def _set(self, path: str, there: Object | None, wanted: Object | None) -> None:
        collection = path.rpartition("/")[0]
        if wanted is not None:
            method, where = ("PUT", path) if there is not None else ("POST", collection)
            params = {"fieldManager": MANAGER}
            if (
                self._cluster.ask(method, where, content=json.dumps(wanted), headers=_JSON, params=params)
                is None
            ):
                raise TidegateError("the cluster does not know such objects", where=where)
        elif there is not None:
            self._cluster.ask("DELETE", path, params={"propagationPolicy": "Background"})
            ends_s = time.monotonic() + _GONE_S
            while self._get(path) is not None:
                if time.monotonic() > ends_s:
                    raise TidegateError(f"it was deleted and is there after {_GONE_S:g} s", where=path)
                time.sleep(0.2)

    def _disown(self, path: str, there: Object) -> None:
        """Leave no trace of whose the fields were: who deploys next must not meet a conflict with us."""
        managers = items(there, "metadata", "managedFields")
        others = [each for each in managers if each.get("manager") != MANAGER]
        if len(others) < len(managers):
            metadata = {**there["metadata"], "managedFields": others}
            self._set(path, there, {**there, "metadata": metadata})

    def _get(self, path: str) -> Object | None:
        return self._cluster.ask("GET", path)

    def _note(self, entries: Sequence[Entry]) -> None:
        if not entries:
            self._journal.unlink(missing_ok=True)
            return
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        listed = [{"path": path, "before": before} for path, before in entries]
        write_atomic(self._journal, json.dumps(listed, indent=1).encode())

    @staticmethod
    def _again(once: Callable[[], None]) -> None:
        """Do it again when somebody else was quicker: controllers write to these objects too."""
        for attempt in range(_CONFLICTS):
            try:
                once()
            except TidegateError as error:
                if attempt == _CONFLICTS - 1 or not error.what.startswith("HTTP 409"):
                    raise
                time.sleep(0.2)
            else:
                return


def _content(wanted: Object, there: Object) -> Object:
    """Return what an object says that is put back: its spec or data, but for what is somebody else's."""
    found: Object = {}
    if "data" in wanted:
        found["data"] = wanted["data"]
    if "spec" in wanted:
        others = _OTHERS.get(text(there, "kind") or text(wanted, "kind"), ())
        kept = {name: there["spec"][name] for name in others if name in there.get("spec", {})}
        found["spec"] = {**{k: v for k, v in wanted["spec"].items() if k not in others}, **kept}
    return found


def _fresh(before: Object) -> Object:
    """Return an object as it can be made anew."""
    metadata = {name: before["metadata"][name] for name in _KEPT_METADATA if name in before["metadata"]}
    fresh = {key: value for key, value in before.items() if key not in ("metadata", "status")}
    return {**fresh, "metadata": metadata}
