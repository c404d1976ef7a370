"""Progress of one step, on standard error."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console

_QUIET_S = 2.0
"""A step that ends sooner than this leaves no line behind."""


@contextmanager
def step(text: str, *, console: Console | None = None) -> Generator[Callable[[str], None]]:
    """Show `text` while the block runs, and how long it took if that was more than two seconds.

    On a terminal this is a spinner; elsewhere (CI logs) it is one line at the start and one at the end.

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
        yield lambda _detail: None
    took_s = time.monotonic() - began_s
    if took_s >= _QUIET_S:
        target.print(f"{text}: done in {took_s:.0f} s", highlight=False, soft_wrap=True)
