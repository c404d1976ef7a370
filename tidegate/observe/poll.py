"""Ask a source again and again, on a fixed beat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from tidegate.observe.api import FAULTS, reason
from tidegate.observe.outage import Outage
from tidegate.observe.protocol import GoneError
from tidegate.run import RunWriter


async def poll_for_ever(
    source: str, ask: Callable[[], Awaitable[None]], *, period_s: float, notes: RunWriter
) -> None:
    """Call `ask` every `period_s` seconds until cancelled.

    A call that takes longer than the period makes the next one wait for the following beat. Failures are
    noted when they begin and when they end.

    Args:
        source: what is asked, for the notes.
        ask: raises `httpx.HTTPError`, `BrokenError` or `GoneError` when there is no answer.
        period_s: seconds between two calls.
        notes: where the notes go.
    """
    outage = Outage(source, notes)
    try:
        while True:
            try:
                await ask()
                outage.seen()
            except (*FAULTS, GoneError) as error:
                outage.broke(f"no answer: {reason(error)}")
            await asyncio.sleep(period_s - time.monotonic() % period_s)
    finally:
        outage.close()
