"""Progress of one step, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console

_LOG_EVERY_S = 20.0
_QUIET_S = 2.0
"""A step that ends sooner than this leaves no line behind."""


@contextmanager
def step(text: str, *, console: Console | None = None) -> Generator[Callable[[str], None]]:
    """Show `text` while the block runs, and how long it took if that was more than two seconds.

    On a terminal this is a spinner; elsewhere (CI logs) it is one line at the start, one at the end, and the
    detail now and then between.

    Args:
        text: what is being done, as "Starting the container engine".
        console: where to write; standard error by default.

    Yields:
        a function that replaces the detail behind the text.
    """
    target = console or Console(stderr=True)
    began_s = time.monotonic()
    if target.is_terminal:
        with target.status(text) as status:
            yield lambda detail: status.update(f"{text}: {detail}" if detail else text)
    else:
        target.print(f"{text} ...", highlight=False, soft_wrap=True)
        yield _sparingly(target, text)
    took_s = time.monotonic() - began_s
    if took_s >= _QUIET_S:
        target.print(f"{text}: done in {took_s:.0f} s", highlight=False, soft_wrap=True)


def _sparingly(console: Console, text: str) -> Callable[[str], None]:
    """Return a function that prints a detail unless another was printed a moment ago."""
    said_s = time.monotonic()

    def say(detail: str) -> None:
        nonlocal said_s
        if detail and time.monotonic() - said_s >= _LOG_EVERY_S:
            said_s = time.monotonic()
            console.print(f"  {text}: {detail}", highlight=False, soft_wrap=True)

    return say
