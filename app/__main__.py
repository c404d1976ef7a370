"""`python -m app`: the web process."""

from __future__ import annotations

import gc
import signal
import sys

# Imports make many objects and no garbage; collecting between them costs a tenth of the start.
gc.disable()
# Until the server handles signals itself: process 1 of a container ignores those it has no handler for.
signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))


def main() -> int:
    """Run the process; errors of its environment are one line and status 3."""
    from app.core.settings import SettingsError, load_settings

    try:
        settings = load_settings("web")
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3

    from app.core.exceptions import BindError
    from app.web import run_web

    try:
        return run_web(settings)
    except BindError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
