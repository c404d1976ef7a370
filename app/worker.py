"""`python -m app.worker`: publishes and decides version 2 orders."""

from __future__ import annotations

import gc
import signal
import sys

from app.listening import listen_early

gc.disable()
signal.signal(signal.SIGTERM, lambda _signal, _frame: sys.exit(0))


def main() -> int:
    """Run the process until a signal; errors of its environment are one line and status 3."""
    listen_early("TIDEGATE_HOST", "TIDEGATE_WORKER_METRICS_PORT")
    from app.core.settings import SettingsError, load_settings

    try:
        settings = load_settings("worker")
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3

    import asyncio

    from app.core.exceptions import BindError
    from app.core.lean import import_redis

    import_redis()
    from app.core.logging import configure_logging, get_logger
    from app.listening import bind
    from app.servers.loop import loop_factory
    from app.workers.process import serve_worker

    configure_logging(settings)
    try:
        listener = bind(settings.host, settings.worker_metrics_port)
    except BindError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    gc.collect()
    gc.freeze()
    gc.enable()
    with asyncio.Runner(loop_factory=loop_factory(settings)) as runner:
        received = runner.run(serve_worker(settings, listener))
    get_logger(__name__).info("stopped", signal=received.name)
    return 130 if received is signal.SIGINT else 0


if __name__ == "__main__":
    sys.exit(main())
