"""Where the live process spends its time, by looking at its stacks many times a second."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from types import FrameType

from app.core.exceptions import OverloadedError

INTERVAL_S = 0.01
MAX_DEPTH = 120

Stack = tuple[str, ...]
"""Function names from the outermost to the innermost, the thread's name first."""


class Profiler:
    """Takes one profile at a time.

    The sampler needs the interpreter lock for each look, so it costs some percent of a core while it runs,
    and sees what runs in C only as the Python function that called it.
    """

    def __init__(self) -> None:
        self._busy = False

    async def sample(self, duration_s: float) -> Counter[Stack]:
        """Look for so long; how often each stack was seen. Sleeping threads are seen too: they wait.

        Raises:
            OverloadedError: another profile is being taken.
        """
        if self._busy:
            raise OverloadedError("another profile is being taken", retry_after_s=int(duration_s) + 1)
        self._busy = True
        try:
            return await asyncio.to_thread(_look, duration_s)
        finally:
            self._busy = False


def _look(duration_s: float) -> Counter[Stack]:
    seen: Counter[Stack] = Counter()
    own, ends_s = threading.get_ident(), time.monotonic() + duration_s
    while time.monotonic() < ends_s:
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():  # pyright: ignore[reportPrivateUsage]
            if ident != own:
                seen[(names.get(ident, "?"), *_names(frame))] += 1
        time.sleep(INTERVAL_S)
    return seen


def _names(frame: FrameType | None) -> list[str]:
    names: list[str] = []
    while frame is not None and len(names) < MAX_DEPTH:
        code = frame.f_code
        names.append(f"{PurePath(code.co_filename).stem}:{code.co_qualname}")
        frame = frame.f_back
    return names[::-1]


def folded(samples: Mapping[Stack, int]) -> str:
    """One line a stack with its count: what flame graph tools and speedscope read."""
    # Spaces part the count from the stack, semicolons the functions.
    clean = str.maketrans({";": ",", " ": "_"})
    lines = (f"{';'.join(name.translate(clean) for name in stack)} {n}" for stack, n in samples.items())
    return "".join(f"{line}\n" for line in sorted(lines))
