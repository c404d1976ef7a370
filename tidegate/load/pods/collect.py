"""Bring one pod's part of the record into the Run while it grows.

What is asked for twice is the same: segments never change, and of files that grow the bytes that were there
stay. So every piece is checked by its length and digest, and asked for again when it is not what was sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from tidegate.errors import TidegateError
from tidegate.load.pods.agent import DIGEST_HEADER, LOG_FILE
from tidegate.load.pods.api import SilentError
from tidegate.run import JsonlWriter
from tidegate.run.folder import write_atomic
from tidegate.run.format import METRICS_DIR, NOTES_FILE, ORDERS_FILE, REQUESTS_DIR, SEGMENT_SUFFIX

Ask = Callable[[str, dict[str, str | int]], httpx.Response]
"""Asks a pod's agent: path and query.

Raises:
    SilentError: it did not answer, or not as it should.
"""


@dataclass(frozen=True)
class PodState:
    """What an agent last told."""

    exit_status: int | None
    """Locust's; None while it runs."""
    said: str
    """The last line of its log."""
    complete: bool
    """Whether Locust has ended and all of its record is in the Run."""


class Collector:
    """One pod's part of a Run.

    Args:
        folder: the Run's.
        pod: the pod's name.
        uid: the pod's uid.
        log: name of the file in the Run for what Locust said there.
        ask: how its agent is asked.
    """

    def __init__(self, folder: Path, pod: str, uid: str, log: str, ask: Ask) -> None:
        self._folder, self._pod, self._uid, self._ask = folder, pod, uid, ask
        self._log = log
        self._taken = 0
        """Segments of the agent's list that are in the Run."""
        for name in (REQUESTS_DIR, METRICS_DIR):
            (folder / name).mkdir(exist_ok=True)
        self._read: dict[str, int] = {}
        """Bytes of each growing file that are in the Run."""

    def pull(self) -> PodState:
        """Take what is new.

        Raises:
            SilentError: the agent did not answer, or a piece was damaged; what came before is kept.
            TidegateError: it cannot be written here, or is no record.
        """
        told = self._told()
        for name, size in told.segments:
            self._take_segment(name, size)
            self._taken += 1
        for name, size in told.growing.items():
            self._take_growth(name, size, ended=told.exit_status is not None)
        return PodState(told.exit_status, told.said, complete=told.exit_status is not None)

    def _told(self) -> _Told:
        answer = _checked(self._ask("/state", {"from": self._taken}))
        try:
            return _told(cast("dict[str, Any]", json.loads(answer)))
        except (KeyError, TypeError, ValueError) as error:
            raise SilentError(f"its state cannot be read: {error!r}") from error

    def _take_segment(self, name: str, size: int) -> None:
        folder, _, file = name.partition("/")
        if folder not in (REQUESTS_DIR, METRICS_DIR) or not _is_segment(file):
            raise TidegateError(f"{name!r} is no segment of a Run", where=self._pod)
        target = self._folder / folder / file
        if target.exists():
            # A pod that was made anew may have the name and the process number of the one before.
            target = target.with_name(f"{self._uid[:8]}-{file}")
        write_atomic(target, self._whole(name, 0, size))

    def _take_growth(self, name: str, size: int, *, ended: bool) -> None:
        begin = self._read.get(name, 0)
        if size <= begin:
            return
        fresh = self._whole(name, begin, size)
        if name == LOG_FILE:
            with (self._folder / self._log).open("ab") as log:
                log.write(fresh)
            self._read[name] = size
            return
        if name not in (ORDERS_FILE, NOTES_FILE):
            raise TidegateError(f"{name!r} is no file of a Run", where=self._pod)
        # The last line may still be on its way to the pod's disk; one that was torn by its end is no record.
        whole = fresh.rfind(b"\n") + 1
        with JsonlWriter(self._folder / name) as lines:
            for line in fresh[:whole].splitlines():
                lines.write(_object(line, f"{self._pod}: {name}"))
                begin += len(line) + 1
                self._read[name] = begin
        if ended:
            self._read[name] = size

    def _whole(self, name: str, begin: int, end: int) -> bytes:
        """Return a file's bytes from `begin` to `end`, however many pieces that takes."""
        pieces: list[bytes] = []
        while begin < end:
            piece = _checked(self._ask("/file", {"path": name, "from": begin}))[: end - begin]
            if not piece:
                raise SilentError(f"{name} ends at {begin} of {end} bytes")
            pieces.append(piece)
            begin += len(piece)
        return b"".join(pieces)


@dataclass(frozen=True)
class _Told:
    exit_status: int | None
    said: str
    segments: list[tuple[str, int]]
    growing: dict[str, int]


def _told(raw: dict[str, Any]) -> _Told:
    status = raw["exit_status"]
    return _Told(
        None if status is None else int(status),
        str(raw["said"]),
        [(str(name), int(size)) for name, size in raw["segments"]],
        {str(name): int(size) for name, size in raw["growing"].items()},
    )


def _checked(answer: httpx.Response) -> bytes:
    body = answer.content
    if hashlib.sha256(body).hexdigest() != answer.headers.get(DIGEST_HEADER):
        raise SilentError("its answer was damaged on the way")
    return body


def _is_segment(name: str) -> bool:
    return name.endswith(SEGMENT_SUFFIX) and not name.startswith(".") and "/" not in name


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        value: object = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise TidegateError("damaged: not a JSON object", where=where)
    return cast("dict[str, Any]", value)
