"""The event loop that every server of the service runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.core.settings import Settings


def loop_factory(settings: Settings) -> Callable[[], asyncio.AbstractEventLoop]:
    """What makes the loop: uvloop's or Python's own, as the settings say."""
    if settings.loop == "asyncio":
        return asyncio.new_event_loop
    import uvloop

    return uvloop.new_event_loop
