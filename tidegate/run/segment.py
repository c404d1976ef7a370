"""Append rows to a folder of Parquet segments, in bounded memory and safe against a crash.

A Parquet file is readable only once its footer is written, so a process that dies while appending to one
leaves nothing. Rows are therefore written as many small closed files, each made under a temporary name,
synced, and renamed. What a crash can lose is what was still in memory: at most `max_rows` rows that are
at most `max_age_s` old.

No thread is used, so a gevent process may hold one. A flush blocks that process for its whole length;
`longest_flush_s` tells how long, so that a load generator can account for it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import polars as pl
from polars.exceptions import PolarsError

from tidegate.errors import TidegateError
from tidegate.run.folder import sync_folder
from tidegate.run.format import SEGMENT_SUFFIX, TEMPORARY_SUFFIX

RowT = TypeVar("RowT", bound=tuple[Any, ...])


class SegmentWriter(Generic[RowT]):
    """Writes rows to `folder/<writer_id>-<seq>.parquet`.

    Several processes may write to one folder, each with a `writer_id` of its own. Open it after a fork,
    not before: two processes that share one would write the same rows twice.

    Args:
        folder: the folder of segments; made when absent.
        schema: column names and types; rows are tuples in that order.
        writer_id: letters, digits, dot, dash, underscore; unique among the run's writers.
        max_rows: rows held in memory before a flush.
        max_age_s: seconds after which `append` or `tick` flushes what is held.
        clock: monotonic seconds; replaceable for tests and simulated time.
    """

    def __init__(
        self,
        folder: Path,
        schema: pl.Schema,
        writer_id: str,
        *,
        max_rows: int = 20_000,
        max_age_s: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", writer_id):
            raise TidegateError(f"{writer_id!r} does not do as a writer's name", where=str(folder))
        self._folder, self._schema, self._writer_id = folder, schema, writer_id
        self._max_rows, self._max_age_s, self._clock = max_rows, max_age_s, clock
        self._rows: list[RowT] = []
        self._oldest_s = 0.0
        self._pid = os.getpid()
        self._closed = False
        self.rows_written = 0
        self.longest_flush_s = 0.0
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TidegateError(f"cannot make the folder: {error.strerror}", where=str(folder)) from error
        self._sequence = self._first_free()
        # The first use of the Parquet encoder takes far longer than the next; not while load is running.
        pl.DataFrame(schema=schema).write_parquet(io.BytesIO(), compression="zstd", compression_level=1)

    def _first_free(self) -> int:
        """Continue after what an earlier process of the same name left, never over it."""
        pattern = re.compile(rf"{re.escape(self._writer_id)}-(\d+){re.escape(SEGMENT_SUFFIX)}")
        taken = [int(match[1]) for path in self._folder.iterdir() if (match := pattern.fullmatch(path.name))]
        return max(taken, default=-1) + 1

    def append(self, row: RowT) -> None:
        """Hold `row`, and flush when enough or old enough rows are held.

        Raises:
            TidegateError: a flush failed. The rows are kept and the next call tries again; while the
                buffer is full no further row is taken.
        """
        if self._closed:
            raise TidegateError("the writer is closed", where=str(self._folder))
        if len(self._rows) >= self._max_rows:
            self.flush()
        if not self._rows:
            self._oldest_s = self._clock()
        self._rows.append(row)
        if len(self._rows) >= self._max_rows:
            self.flush()
        else:
            self.tick()

    def extend(self, rows: Iterable[RowT]) -> None:
        """Hold `rows`, all of them, however many; the caller flushes.

        Raises:
            TidegateError: the writer is closed.
        """
        if self._closed:
            raise TidegateError("the writer is closed", where=str(self._folder))
        if not self._rows:
            self._oldest_s = self._clock()
        self._rows.extend(rows)

    def tick(self) -> None:
        """Flush if the oldest row held is older than `max_age_s`; call it now and then while idle."""
        if self._rows and self._clock() - self._oldest_s >= self._max_age_s:
            self.flush()

    def flush(self) -> None:
        """Write all rows held as one segment. Without rows it does nothing."""
        if not self._rows:
            return
        if os.getpid() != self._pid:
            raise TidegateError("the writer was opened before a fork", where=str(self._folder))
        began_s = time.monotonic()
        name = f"{self._writer_id}-{self._sequence:06d}{SEGMENT_SUFFIX}"
        temporary = self._folder / f".{name}{TEMPORARY_SUFFIX}"
        try:
            frame = self._frame()
            with temporary.open("wb") as file:
                frame.write_parquet(file, compression="zstd", compression_level=1)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._folder / name)
            sync_folder(self._folder)
        except (OSError, PolarsError, TypeError, ValueError, OverflowError) as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise TidegateError(f"cannot write a segment: {error}", where=str(self._folder / name)) from error
        self._sequence += 1
        self.rows_written += len(self._rows)
        self._rows.clear()
        self.longest_flush_s = max(self.longest_flush_s, time.monotonic() - began_s)

    def _frame(self) -> pl.DataFrame:
        """Return the rows held as a frame, by columns: no other thread runs meanwhile, and it is quicker."""
        columns = zip(*self._rows, strict=True)
        return pl.DataFrame(
            {
                name: pl.Series(name, column, dtype=dtype)
                for (name, dtype), column in zip(self._schema.items(), columns, strict=True)
            }
        )

    def close(self) -> None:
        """Flush and take no more rows. Closing twice is harmless."""
        if not self._closed:
            self.flush()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
