"""`python -m app`: the web process."""

from __future__ import annotations

import gc
import os
import signal
import sys

from app.listening import listen_early

# Imports make many objects and no garbage; collecting between them costs a tenth of the start.
gc.disable()
# Nothing here is a pydantic plugin; looking for one reads the metadata of every package.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# FastAPI asks of every body whether it is a model of pydantic 1, and imports that whole to know. Where there
# is no pydantic 1, it takes the answer to be no.
sys.modules["pydantic.v1"] = None  # pyright: ignore[reportArgumentType]
# Until the server handles signals itself: process 1 of a container ignores those it has no handler for.
signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))


def main() -> int:
    """Run the process; errors of its environment are one line and status 3."""
    listen_early("TIDEGATE_HOST", "TIDEGATE_PORT")
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
