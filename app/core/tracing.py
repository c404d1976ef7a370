"""Spans: what a request, or the decision of an order, spends its time on.

Off by default, and then `span` costs a look at one context variable and no tracing library is imported.
Where it is on, whoever begins a part of a trace (the HTTP middleware, the relay, a worker) puts the tracer
into the context; everybody below asks the context. So work that belongs to no trace, such as the relay's
polling, makes no spans either.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Literal, Protocol

from app.core.trace_context import TraceParent

Value = str | int | float | bool
Kind = Literal["internal", "server", "client", "producer", "consumer"]
"""What a span does, in OpenTelemetry's words."""


class Span(Protocol):
    """One timed piece of work, while it lasts."""

    @property
    def parent(self) -> TraceParent:
        """What others need to continue the trace below this span."""
        ...

    def name(self, name: str) -> None:
        """Give it the name that was not known when it began."""
        ...

    def note(self, attributes: Mapping[str, Value]) -> None:
        """Say more about it."""
        ...

    def fail(self, error_type: str) -> None:
        """Mark it as failed; a short word, never a message that may hold data."""
        ...


class Tracer(Protocol):
    """Makes spans below the one the context holds."""

    def span(
        self, name: str, kind: Kind, attributes: Mapping[str, Value] | None = None
    ) -> AbstractContextManager[Span]:
        """A span for as long as the block runs; what the block raises marks it as failed."""
        ...

    def current(self) -> TraceParent | None:
        """The span the context holds."""
        ...


TRACER: ContextVar[Tracer | None] = ContextVar("tracer", default=None)
"""The tracer of the trace this context belongs to; None outside of traces."""

_NOTHING: AbstractContextManager[None] = nullcontext()


def span(
    name: str, kind: Kind = "internal", attributes: Mapping[str, Value] | None = None
) -> AbstractContextManager[Span | None]:
    """A span for as long as the block runs, if the context belongs to a trace.

    Args:
        name: of few kinds: never with an id in it.
        attributes: what else is known, by the names of OpenTelemetry's semantic conventions.
    """
    tracer = TRACER.get()
    return _NOTHING if tracer is None else tracer.span(name, kind, attributes)


def current_parent() -> TraceParent | None:
    """What a message must carry so that the trace goes on elsewhere; None outside of traces."""
    tracer = TRACER.get()
    return None if tracer is None else tracer.current()
