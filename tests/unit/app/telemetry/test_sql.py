from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from app.telemetry.sql import summary, trace_statements


class Kept(SpanExporter):
    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def export(self, spans: object) -> SpanExportResult:
        self.spans += spans  # type: ignore[operator]
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Nothing to end."""


@pytest.mark.parametrize(
    ("statement", "brief"),
    [
        ("SELECT orders.id FROM orders WHERE orders.id = $1", "SELECT orders"),
        ("INSERT INTO order_lines (a) VALUES ($1)", "INSERT order_lines"),
        ("UPDATE outbox SET due_at=$1", "UPDATE outbox"),
        ("delete from outbox", "DELETE outbox"),
        ("\n  SELECT 1", "SELECT"),
        ("", "?"),
    ],
)
def test_a_statement_in_brief(statement: str, brief: str) -> None:
    assert summary(statement) == brief


def test_statements_are_spans_within_a_trace_and_nowhere_else() -> None:
    kept = Kept()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("test")
    engine = create_engine("sqlite://")
    trace_statements(engine, tracer)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert kept.spans == []
        with tracer.start_as_current_span("request") as request:
            connection.execute(text("SELECT :value"), {"value": "secret"})
            with pytest.raises(OperationalError):
                connection.execute(text("SELECT x FROM nowhere"))
            connection.execute(text("SELECT 2"))
    engine.dispose()
    statements = [span for span in kept.spans if span.name != "request"]
    assert [span.name for span in statements] == ["SELECT", "SELECT nowhere", "SELECT"]
    assert [span.status.is_ok for span in statements] == [True, False, True]
    for span in statements:
        assert span.parent is not None
        assert span.parent.span_id == request.get_span_context().span_id
        assert "secret" not in str(span.attributes)
    assert dict(statements[1].attributes or {})["error.type"] == "OperationalError"
