"""JSON Lines: one object a line, on disk as soon as it is written."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from tidegate.errors import TidegateError

_TAIL_STEP = 65_536


class JsonlWriter:
    """Appends objects to a file, each with one system call.

    Several processes may append to one file: a lock covers each line. A torn line that an earlier process
    left at the end is cut off on opening, because a line after it would turn it into damage in the middle;
    `cut_off_bytes` tells its length.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.cut_off_bytes = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor: int | None = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
        except OSError as error:
            raise TidegateError(f"cannot open for writing: {error.strerror}", where=str(path)) from error
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            size = os.fstat(self._descriptor).st_size
            whole = _end_of_last_line(self._descriptor, size)
            if whole < size and _is_object(os.pread(self._descriptor, size - whole, whole)):
                os.write(self._descriptor, b"\n")
            elif whole < size:
                os.ftruncate(self._descriptor, whole)
                self.cut_off_bytes = size - whole
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def write(self, record: Mapping[str, Any]) -> None:
        """Append `record` as one line.

        Raises:
            TidegateError: it has no JSON form (NaN has none), the writer is closed, or the disk is full;
                in that last case the part that fitted is taken back.
        """
        if self._descriptor is None:
            raise TidegateError("the writer is closed", where=str(self._path))
        try:
            line = (
                json.dumps(record, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()
                + b"\n"
            )
        except (TypeError, ValueError) as error:
            raise TidegateError(f"a record has no JSON form: {error}", where=str(self._path)) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            try:
                written = os.write(self._descriptor, line)
                if written < len(line):
                    os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
                    raise TidegateError("the disk is full", where=str(self._path))
            finally:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        except OSError as error:
            raise TidegateError(f"cannot write: {error.strerror}", where=str(self._path)) from error

    def close(self) -> None:
        """Sync to disk and close. Closing twice is harmless."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end_of_last_line(descriptor: int, size: int) -> int:
    """Return the offset behind the last newline of a file of `size` bytes; 0 when there is none."""
    end = size
    while end > 0:
        start = max(0, end - _TAIL_STEP)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value: object = json.loads(line)
    except ValueError:
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _is_object(line: bytes) -> bool:
    return _object(line) is not None


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield line number (from 1) and object of each line. An absent file has no lines.

    A last line without its newline is given when it is whole and left out when it is torn.

    Raises:
        TidegateError: another line is not a JSON object.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error
    with file:
        for number, line in enumerate(file, start=1):
            value = _object(line)
            if value is not None:
                yield number, value
            elif line.endswith(b"\n"):
                raise TidegateError(
                    "damaged: not a JSON object", where=f"{path}:{number}", cure="record it anew"
                )


def is_torn(path: Path) -> bool:
    """Whether the file's last line was cut off while it was being written."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            whole = _end_of_last_line(file.fileno(), size)
            return whole < size and not _is_object(os.pread(file.fileno(), size - whole, whole))
    except FileNotFoundError:
        return False
