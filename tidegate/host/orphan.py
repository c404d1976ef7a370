"""Let a child end when we are killed, instead of going on by itself."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
"""include/uapi/linux/prctl.h"""


def end_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` with which the kernel sends the child `number` once this process is gone.

    Ctrl-C and SIGTERM are passed on by the code that runs the child. This is for what cannot be caught:
    SIGKILL, or the kernel short of memory. The signal comes when the thread that made the child ends, so
    only the main thread may use it. Elsewhere than on Linux there is no such thing, and None is returned.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: between fork and exec as little as possible is done
    parent = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it was gone before the kernel was asked
            os.kill(os.getpid(), number)

    return ask
