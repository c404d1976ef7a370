"""Spans by the OpenTelemetry SDK, sent by OTLP over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from app.core.logging import get_logger
from app.core.settings import Settings
from app.core.trace_context import TraceParent
from app.core.tracing import TRACER, Kind, Value
from app.db.engine import Database
from app.telemetry.sql import trace_statements

FLUSH_S = 2.0
"""Longest time the end of the process waits for the last spans to leave."""

_log = get_logger(__name__)

_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}


class OtelSpan:
    """See `app.core.tracing.Span`."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def parent(self) -> TraceParent:
        """What others need to continue the trace below this span."""
        return _parent(self._span.get_span_context())

    def name(self, name: str) -> None:
        """Give it the name that was not known when it began."""
        self._span.update_name(name)

    def note(self, attributes: Mapping[str, Value]) -> None:
        """Say more about it."""
        self._span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        """Mark it as failed."""
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(Status(StatusCode.ERROR))


class Tracing:
    """One process's tracer and its way out.

    Spans are handed to a thread of the SDK's, which sends them in batches; when the endpoint does not take
    them they are dropped, never waited for. The SDK's own variables hold besides: `OTEL_TRACES_SAMPLER`,
    `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_*`, `OTEL_RESOURCE_ATTRIBUTES`.
    """

    def __init__(self, settings: Settings, *, application: str) -> None:
        """Begin; nothing connects before the first batch.

        Args:
            settings: with `otlp_endpoint` set.
            application: the process's name, which becomes `service.name`.
        """
        place = {"service.name": application, "service.namespace": "tidegate"}
        place |= {"service.instance.id": settings.pod_name, "k8s.pod.name": settings.pod_name}
        if settings.node_name:
            place["k8s.node.name"] = settings.node_name
        exporter = OTLPSpanExporter(endpoint=f"{(settings.otlp_endpoint or '').rstrip('/')}/v1/traces")
        # It would else wait at the interpreter's end, without a bound of ours.
        provider = TracerProvider(resource=Resource.create(place), shutdown_on_exit=False)
        self._processor = BatchSpanProcessor(exporter)
        provider.add_span_processor(self._processor)
        self._tracer = provider.get_tracer("tidegate")

    def watch(self, database: Database) -> None:
        """Have a span made of every statement that runs within a trace."""
        trace_statements(database.engine.sync_engine, self._tracer)

    @contextmanager
    def continued(
        self,
        name: str,
        kind: Kind,
        parent: TraceParent | None,
        attributes: Mapping[str, Value] | None = None,
    ) -> Generator[OtelSpan, None, None]:
        """A span below one of another process, or the first of a trace where there is none."""
        above = Context() if parent is None else trace.set_span_in_context(_remote(parent), Context())
        with self._entered(
            self._tracer.start_span(name, above, kind=_KINDS[kind], attributes=attributes)
        ) as span:
            yield span

    @contextmanager
    def span(
        self, name: str, kind: Kind, attributes: Mapping[str, Value] | None = None
    ) -> Generator[OtelSpan, None, None]:
        """A span below the one the context holds."""
        with self._entered(self._tracer.start_span(name, kind=_KINDS[kind], attributes=attributes)) as span:
            yield span

    def current(self) -> TraceParent | None:
        """The span the context holds."""
        known = trace.get_current_span().get_span_context()
        return _parent(known) if known.is_valid else None

    async def close(self) -> None:
        """Send what is left, for at most `FLUSH_S`."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._processor.shutdown()
            # The loop may be gone: nobody waits any more then.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(sent.set)

        # A daemon's thread and not an executor's, for the interpreter waits for those at its end.
        threading.Thread(target=flush, name="traces-flush", daemon=True).start()
        try:
            async with asyncio.timeout(FLUSH_S):
                await sent.wait()
        except TimeoutError:
            _log.warning("traces_left_behind", waited_s=FLUSH_S)

    @contextmanager
    def _entered(self, span: trace.Span) -> Generator[OtelSpan, None, None]:
        made = OtelSpan(span)
        inside = otel_context.attach(trace.set_span_in_context(span))
        tracer = TRACER.set(self)
        try:
            yield made
        except BaseException as error:
            # Only the type: messages of database errors hold the statement's values.
            made.fail(type(error).__name__)
            raise
        finally:
            TRACER.reset(tracer)
            otel_context.detach(inside)
            span.end()


def _parent(known: SpanContext) -> TraceParent:
    return TraceParent(
        trace.format_trace_id(known.trace_id), trace.format_span_id(known.span_id), known.trace_flags.sampled
    )


def _remote(parent: TraceParent) -> trace.Span:
    return NonRecordingSpan(
        SpanContext(
            trace_id=int(parent.trace_id, 16),
            span_id=int(parent.span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED if parent.sampled else TraceFlags.DEFAULT),
        )
    )
