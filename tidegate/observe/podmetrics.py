"""CPU and memory of each container, as the autoscaler sees them (metrics.k8s.io)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import httpx

from tidegate.observe.api import get_json
from tidegate.observe.protocol import BrokenError
from tidegate.observe.sink import MetricSink
from tidegate.run.quantity import duration_s, quantity, unix_s

PERIOD_S = 1.0
"""Far shorter than metrics-server's resolution: the time of receipt tells when the autoscaler could know."""


class PodMetrics:
    """Reads the pods' metrics of a namespace into the Run.

    Series: `pod_cpu_cores` and `pod_memory_bytes` with pod, container and node. Their time is the end of the
    window that the metrics server measured over, and only samples that are new are kept.

    Args:
        client: of the API server.
        namespace: of the service.
        sink: where the samples go.
        node_of: the node of a pod by name; empty when unknown.
    """

    def __init__(
        self, client: httpx.AsyncClient, namespace: str, sink: MetricSink, node_of: Callable[[str], str]
    ) -> None:
        self._client = client
        self._path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"
        self._sink = sink
        self._node_of = node_of

    async def ask(self) -> None:
        """Read once.

        Raises:
            httpx.HTTPError, BrokenError, GoneError: there was no answer, or none that can be read.
        """
        answer = await get_json(self._client, self._path)
        try:
            for pod in cast("list[dict[str, Any]]", answer.get("items") or []):
                self._take(pod)
        except (KeyError, TypeError, ValueError) as error:
            raise BrokenError(f"pod metrics cannot be read: {error!r}") from error

    def _take(self, pod: dict[str, Any]) -> None:
        name = cast("str", pod["metadata"]["name"])
        t_s, window_s = unix_s(pod["timestamp"]), duration_s(pod["window"])
        node = self._node_of(name)
        for container in cast("list[dict[str, Any]]", pod["containers"]):
            labels = {"pod": name, "container": cast("str", container["name"]), "node": node}
            usage = cast("dict[str, str]", container["usage"])
            self._sink.add("pod_cpu_cores", labels, t_s, quantity(usage["cpu"]), window_s, revised=True)
            self._sink.add("pod_memory_bytes", labels, t_s, quantity(usage["memory"]), window_s, revised=True)
