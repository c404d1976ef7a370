"""A span of every SQL statement, by SQLAlchemy's own events."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode
from sqlalchemy import Connection, Engine, ExceptionContext, event

_SPAN = "tidegate.span"
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)", re.IGNORECASE)
_SYSTEMS = {"postgresql": "postgresql", "sqlite": "sqlite"}


@lru_cache(maxsize=256)
def summary(statement: str) -> str:
    """What a statement does to what, as `SELECT orders`: of few kinds, so that spans can be grouped by it."""
    operation = statement.split(None, 1)[0].upper() if statement.strip() else "?"
    table = _TABLE.search(statement)
    return f"{operation} {table[1]}" if table else operation


def trace_statements(engine: Engine, tracer: trace.Tracer) -> None:
    """Make a span of each statement that runs within a trace.

    The text is taken as it is sent, with places for its values and without the values. A connection runs
    one statement at a time, so the span under way is kept with the connection.
    """

    def begin(
        connection: Connection, _cursor: Any, statement: str, _parameters: Any, _context: Any, many: bool
    ) -> None:
        if not trace.get_current_span().get_span_context().is_valid:
            return
        brief = summary(statement)
        attributes = {
            "db.system.name": _SYSTEMS.get(connection.dialect.name, connection.dialect.name),
            "db.query.summary": brief,
            "db.query.text": statement,
        }
        if engine.url.database and connection.dialect.name != "sqlite":
            attributes["db.namespace"] = engine.url.database
        if engine.url.host:
            attributes["server.address"] = engine.url.host
        span = tracer.start_span(brief, kind=SpanKind.CLIENT, attributes=attributes)
        if many:
            span.set_attribute("tidegate.db.many", True)
        connection.info[_SPAN] = span

    def end(connection: Connection, *_: Any) -> None:
        span: trace.Span | None = connection.info.pop(_SPAN, None)
        if span is not None:
            span.end()

    def fail(failure: ExceptionContext) -> None:
        if failure.connection is None:
            return
        span: trace.Span | None = failure.connection.info.pop(_SPAN, None)
        if span is not None:
            span.set_attribute("error.type", type(failure.original_exception).__name__)
            span.set_status(Status(StatusCode.ERROR))
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)
