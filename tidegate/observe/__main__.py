"""The observer's process: `python -m tidegate.observe --kubeconfig FILE --run FOLDER`.

Prints `synced` once every watch has its first list. SIGTERM and SIGINT make it write what it has and end
with 0; it ends with 3 and one line on standard error when it cannot do its work.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.observe.drive import DEFAULT_PROMETHEUS
from tidegate.observe.kubeconfig import load_kubeconfig
from tidegate.observe.observer import Target, observe

EXIT_ERROR = 3
_PARENT_CHECK_S = 1.0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tidegate.observe", description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True, help="The cluster's kubeconfig.")
    parser.add_argument("--run", type=Path, required=True, help="An existing Run folder.")
    parser.add_argument("--namespace", default="tidegate", help="The service's namespace. Default: tidegate.")
    parser.add_argument(
        "--prometheus",
        default=DEFAULT_PROMETHEUS,
        help=f"Prometheus as namespace/scheme:name:port; empty for none. Default: {DEFAULT_PROMETHEUS}.",
    )
    parser.add_argument(
        "--sync-timeout", type=float, default=30.0, help="Seconds the first lists may take. Default: 30."
    )
    parser.add_argument("--vertical", action="store_true", help="Watch VerticalPodAutoscalers too.")
    parser.add_argument("--parent", type=int, help="End when this process is no longer the parent.")
    return parser.parse_args(arguments)


def _say_synced() -> None:
    try:
        sys.stdout.write("synced\n")
        sys.stdout.flush()
    except BrokenPipeError:
        return  # whoever wanted to know is gone


async def _run(options: argparse.Namespace) -> None:
    access = load_kubeconfig(options.kubeconfig)
    target = Target(
        access, options.namespace, options.prometheus, options.sync_timeout, vertical=options.vertical
    )
    if not options.run.is_dir():
        raise TidegateError("the Run's folder is not there", where=str(options.run))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watchdog = loop.create_task(_stop_without(options.parent, stop)) if options.parent else None
    try:
        await observe(target, options.run, stop, _say_synced)
    finally:
        if watchdog is not None:
            watchdog.cancel()


async def _stop_without(parent: int, stop: asyncio.Event) -> None:
    """Set `stop` once `parent` is not the parent any more: an observer nobody waits for must not stay."""
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(_PARENT_CHECK_S)
    stop.set()


def main(arguments: Sequence[str]) -> int:
    """Observe until told to stop, and return the exit code."""
    try:
        asyncio.run(_run(_parse(arguments)))
    except TidegateError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
