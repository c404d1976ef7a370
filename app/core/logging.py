"""One line of JSON an event, on standard output; the libraries' own loggers included."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import orjson
import structlog

from app.core.settings import Settings


def _dumps(event: Any, **options: Any) -> str:
    return orjson.dumps(event, default=options.get("default")).decode()


# Without the values of local variables: they are now and then a password or a token.
_TRACEBACKS = structlog.processors.ExceptionRenderer(
    structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
)


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send every logger through one handler, at the level and in the form the settings ask for.

    Args:
        stream: where to write; standard output when None.
    """
    level = settings.log_level

    def add_place(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
        event.setdefault("pod", settings.pod_name)
        if settings.node_name:
            event.setdefault("node", settings.node_name)
        return event

    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_place,
    ]
    last: list[structlog.types.Processor] = (
        [_TRACEBACKS, structlog.processors.JSONRenderer(serializer=_dumps)]
        if settings.log_format == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=(stream or sys.stdout).isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(allow=())],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # uvicorn's life-cycle lines repeat what the server itself logs with more to say.
    logging.getLogger("uvicorn").setLevel(max(logging.getLevelNamesMapping()[level], logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger that takes an event name and fields, never a formatted sentence."""
    return structlog.stdlib.get_logger(name)
