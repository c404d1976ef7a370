"""`tidegate down`: the stack, its cluster, and on demand the engine."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from tidegate.deploy.environment import tool_environment
from tidegate.deploy.events import OperationProgress
from tidegate.deploy.stack import Stack
from tidegate.deploy.teardown import remove_stack
from tidegate.host.engine import find_engine, start_engine, stop_engine
from tidegate.host.paths import cluster_dir, state_dir
from tidegate.host.progress import step
from tidegate.prepare import stack_config


def take_down(name: str, *, stop: bool, purge: bool, console: Console) -> Iterator[str]:
    """Remove the stack `name`, and with `stop` the engine that tidegate started.

    Works from any half-made state, and does nothing where there is nothing.

    Args:
        name: stack name.
        stop: also stop our own engine; another engine is never touched.
        purge: also delete our own engine's images and volumes.
        console: where progress goes.

    Yields:
        Lines that tell what was done.
    """
    root, config = stack_config(name)
    cluster = config.cluster.name
    engine = find_engine()
    if engine is None and (cluster_dir(cluster).exists() or _has_own_engine()):
        engine = start_engine()  # a cluster of ours lies in an engine of ours that is not running
    if engine is not None:
        stack = Stack(root, name, tool_environment(engine.env(), cluster=cluster))
        with step(f"Removing stack {name}", console=console) as say:

            def report(progress: OperationProgress) -> None:
                say(f"{progress.done} done; now {progress.current() or '...'}")

            lines = remove_stack(stack, cluster, report, say)
        yield from lines or [f"stack {name}: nothing to remove"]
    else:
        yield f"stack {name}: nothing to remove"
    if stop:
        stopped = stop_engine(remove_data=purge)
        did = "stopped" if stopped.was_running else "none of our own was running"
        yield f"engine: {did}{', its data removed' if stopped.data_removed else ''}"


def _has_own_engine() -> bool:
    return (state_dir() / "engine" / "engine.json").exists()
