"""Record every request of a Locust process into the Run that the environment names.

Without `TIDEGATE_RUN` nothing is recorded and Locust runs as it always does. With it, rows go to segments
every two seconds, so that a killed generator loses at most that much. Writing happens in a native thread:
a slow disk must not appear as a slow service.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import gevent
from gevent.event import Event
from gevent.greenlet import Greenlet

from tidegate.errors import TidegateError
from tidegate.load.clock import AnchoredClock
from tidegate.load.generator import GeneratorHealth, writer_name
from tidegate.run import RequestRow, RunWriter, SegmentWriter, request_writer
from tidegate.run.format import NOBODY

FLUSH_S = 2.0
MARK = "tidegate"
"""Key of a request's `Mark` in Locust's request context."""
_ERROR_CHARACTERS = 200


class Mark(NamedTuple):
    """What the sender knows about a request. Times are readings of the monotonic clock."""

    intended_s: float
    start_s: float
    user: int


def error_text(error: BaseException | None, status: int) -> str | None:
    """Return one short line for a failure, the same for all of one cause; None when there is none."""
    if error is None:
        return None
    cause = getattr(error, "original", None)
    if isinstance(cause, BaseException):
        error = cause
    if isinstance(error, gevent.Timeout | TimeoutError):
        return "timeout"
    if status >= 400:
        return f"HTTP {status}"
    return f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS]


def _header(response: Any, name: str) -> str | None:
    field = getattr(response, "field", None)
    if field is not None:  # the paced users' own response, which need not build an index for this
        return field(name)
    headers = cast("Mapping[str, Any] | None", getattr(response, "headers", None))
    value = headers.get(name) if headers is not None else None
    # A header that was sent twice comes as a list.
    return value if isinstance(value, str) else None


class Recorder:
    """Turns Locust's request events into rows of the Run.

    Args:
        folder: the Run's folder.
        on_failure: called when rows could not be written, as on a full disk; they are kept and tried again.
    """

    def __init__(self, folder: Path, on_failure: Callable[[TidegateError], None]) -> None:
        self._on_failure = on_failure
        self.clock = AnchoredClock()
        self.folder = folder
        self._offset_s = self.clock.unix_s(0.0)
        self._routes: dict[tuple[str, str], str] = {}
        self._rows: list[RequestRow] = []
        # The writer's own age limit stays out of the way: this class decides when to write.
        self._writer: SegmentWriter[RequestRow] = request_writer(
            folder, writer_name(), max_rows=1_000_000, max_age_s=float("inf")
        )
        self.notes = RunWriter(folder)
        self.health = GeneratorHealth(folder, self.clock, self.notes)
        self._stop = Event()
        self._flusher: Greenlet[..., None] | None = None
        self.recorded = 0

    def start(self) -> None:
        """Begin to write every `FLUSH_S` seconds and to watch the generator itself."""
        self._flusher = gevent.spawn(self._flush_now_and_then)
        self.health.start()

    def on_request(
        self,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int | None,
        response: Any = None,
        context: Mapping[str, Any] | None = None,
        exception: BaseException | None = None,
        **_: Any,
    ) -> None:
        """Take one request as Locust reports it (`events.request`)."""
        took_s = (response_time or 0.0) / 1000
        mark = cast("Mark | None", (context or {}).get(MARK))
        if mark is None:  # a user without a plan: it ended just now, and was meant when it began
            start_s = time.monotonic() - took_s
            mark = Mark(start_s, start_s, NOBODY)
        intended_s, start_s, user = mark
        status = int(getattr(response, "status_code", 0) or 0)
        route = self._routes.get((request_type, name))
        if route is None:
            route = name if name.startswith(f"{request_type} ") else f"{request_type} {name}"
            self._routes[request_type, name] = route
        # By position, in the order of the fields: by name it takes three times as long, and at thousands of
        # requests a second this is time in which no answer is read.
        self._rows.append(
            RequestRow(
                intended_s + self._offset_s,
                start_s + self._offset_s,
                start_s + took_s + self._offset_s,
                request_type,
                route,
                status,
                exception is None,
                error_text(exception, status),
                _header(response, "X-Served-By"),
                _header(response, "X-Request-Id"),
                user,
                response_length or 0,
            )
        )
        self.recorded += 1

    def _take(self) -> list[RequestRow]:
        rows, self._rows = self._rows, []
        return rows

    def _write(self, rows: list[RequestRow]) -> None:
        self._writer.extend(rows)
        self._writer.flush()
        self.health.write()

    def _flush_now_and_then(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self.flush()

    def flush(self) -> None:
        """Write what was recorded so far, in a native thread; what cannot be written is tried again."""
        try:
            gevent.get_hub().threadpool.apply(self._write, (self._take(),))
        except TidegateError as error:
            logging.getLogger(__name__).error("requests are not being recorded: %s", error)  # noqa: TRY400
            self._on_failure(error)

    def close(self) -> None:
        """Write what is left and sync. Closing twice is harmless.

        Raises:
            TidegateError: the last rows could not be written.
        """
        if self._stop.is_set():
            return
        self._stop.set()
        if self._flusher is not None:
            self._flusher.join()
        self.health.stop()
        self._write(self._take())
        self._writer.close()
        self.health.close()
        self.notes.note("info", f"load generator: {self.recorded} requests recorded", t_s=self.clock.now_s())
        self.notes.close()
