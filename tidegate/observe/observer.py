"""All watches and polls of one cluster, together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tidegate.errors import TidegateError
from tidegate.observe import podmetrics, prometheus
from tidegate.observe.api import api_client
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.observe.podmetrics import PodMetrics
from tidegate.observe.poll import poll_for_ever
from tidegate.observe.prometheus import Prometheus
from tidegate.observe.sink import MetricSink
from tidegate.observe.watch import Watcher, resources
from tidegate.run import RunWriter


@dataclass(frozen=True)
class Target:
    """What to observe."""

    access: ApiAccess
    namespace: str
    """Of the service."""
    prometheus: str
    """`<namespace>/<scheme>:<name>:<port>` of Prometheus' Service; empty for none."""
    sync_timeout_s: float
    """Seconds the first lists may take."""
    vertical: bool = False
    """Whether there are VerticalPodAutoscalers."""


class PodNodes:
    """Remembers on which node each pod ran, also after it is gone: metrics trail behind."""

    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}

    def learn(self, pod: dict[str, Any]) -> None:
        """Take note of a pod."""
        node = pod["spec"].get("nodeName")
        if node:
            self._nodes[pod["metadata"]["name"]] = cast("str", node)

    def node_of(self, pod: str) -> str:
        """Return the pod's node, empty when it is not known."""
        return self._nodes.get(pod, "")


async def observe(target: Target, run_dir: Path, stop: asyncio.Event, on_synced: Callable[[], None]) -> None:
    """Record the cluster into the Run at `run_dir` until `stop` is set.

    Args:
        target: what to observe.
        run_dir: the Run's folder.
        stop: ends the observation; what was seen is then written.
        on_synced: called once when every watch has recorded its first list.

    Raises:
        TidegateError: the Run cannot be written, or the first lists did not come in time.
    """
    run, nodes = RunWriter(run_dir), PodNodes()
    sink = MetricSink(run_dir)
    try:
        async with api_client(target.access) as client:
            watchers = [
                Watcher(client, resource, run, on_object=nodes.learn if resource.kind == "Pod" else None)
                for resource in resources(target.namespace, vertical=target.vertical)
            ]
            metrics = PodMetrics(client, target.namespace, sink, nodes.node_of)
            polls = [
                poll_for_ever("pod metrics", metrics.ask, period_s=podmetrics.PERIOD_S, notes=run),
            ]
            if target.prometheus:
                wanted = prometheus.series(target.namespace)
                ask = Prometheus(client, target.prometheus, wanted, sink).ask
                polls.append(poll_for_ever("Prometheus", ask, period_s=prometheus.PERIOD_S, notes=run))

            async def once_synced() -> None:
                """Polls come after the first lists: a sample needs to know its pod's node."""
                await _all_synced(watchers, target.sync_timeout_s)
                on_synced()
                await asyncio.gather(*polls)

            work = [sink.keep_writing(run), once_synced(), *(watcher.run() for watcher in watchers)]
            try:
                await _until(stop, work)
            finally:
                for poll in polls:
                    poll.close()  # of no effect on one that has run
    finally:
        try:
            sink.close()
            run.note("info", "observer: ended")
        finally:
            run.close()


async def _all_synced(watchers: list[Watcher], timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            for watcher in watchers:
                await watcher.synced.wait()
    except TimeoutError as error:
        trouble = next(watcher.trouble for watcher in watchers if not watcher.synced.is_set())
        raise TidegateError(f"the cluster was not seen within {timeout_s:g} s: {trouble}") from error


async def _until(stop: asyncio.Event, work: list[Any]) -> None:
    """Run `work` until `stop` is set or one of it fails; then end all of it and raise what failed."""
    tasks = [asyncio.ensure_future(part) for part in work]
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([*tasks, stopped], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (*tasks, stopped):
            task.cancel()
        results = await asyncio.gather(*tasks, stopped, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
