"""The service's own series, from the Prometheus in the cluster, each sample with the time it was scraped.

An instant query stamps every sample with the moment of asking. Two ways round it: a range selector
(`name[20s]`) gives the scraped samples themselves, and `timestamp()` gives the scrape time of what a rate
ends with.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx

from tidegate.observe.api import get_json
from tidegate.observe.protocol import BrokenError
from tidegate.observe.sink import MetricSink

PERIOD_S = 5.0
_RAW_WINDOW_S = 30
"""Longer than a period, so that a late answer leaves no hole; what was seen is dropped."""
RATE_WINDOW_S = 30
"""Seconds a rate is taken over. Two scrapes of a new pod must fit in."""
_PART = "tidegate_part"

Labels = dict[str, str]


@dataclass(frozen=True)
class RawSeries:
    """A gauge whose scraped samples are taken as they are; samples of one scrape and pod are added up."""

    name: str
    metric: str

    @property
    def query(self) -> str:
        """The PromQL that gives the scraped samples."""
        return f"{self.metric}[{_RAW_WINDOW_S}s]"


@dataclass(frozen=True)
class RateSeries:
    """A rate or a quotient of rates, with the time of the newest scrape that is in it.

    Args:
        name: the series' name in the Run.
        value: PromQL of the value, by some labels.
        scraped: PromQL of the scrape time, by the same labels.
        labels: turns Prometheus' labels into the Run's.
    """

    name: str
    value: str
    scraped: str
    labels: Callable[[Labels], Labels]

    @property
    def query(self) -> str:
        """Both in one query, so that they are of one moment."""
        return (
            f'label_replace({self.value}, "{_PART}", "value", "", "") '
            f'or label_replace({self.scraped}, "{_PART}", "scraped", "", "")'
        )


def _route(labels: Labels) -> Labels:
    """Name the route as the load generator does: with its method."""
    method, route = labels.get("method", ""), labels.get("route", "")
    named = route if not method or route.startswith(f"{method} ") else f"{method} {route}"
    return {"route": named, "status": labels.get("status", "")}


def _container(labels: Labels) -> Labels:
    return {"pod": labels.get("pod", ""), "container": labels.get("container", "")}


def series(namespace: str) -> tuple[RawSeries | RateSeries, ...]:
    """Return what is asked for the service in `namespace`."""
    requests = "http_requests_total"
    chosen = f'{{namespace="{namespace}",container!="",container!="POD"}}'
    throttled, periods = (f"container_cpu_cfs_{part}periods_total{chosen}" for part in ("throttled_", ""))
    by_container = "sum by (pod, container)"
    return (
        RawSeries("http_in_progress", "http_requests_in_progress"),
        RawSeries("queue_depth", "tidegate_queue_depth"),
        RawSeries("queue_age_s", "tidegate_queue_age_seconds"),
        RateSeries(
            "http_rps",
            f"sum by (method, route, status) (rate({requests}[{RATE_WINDOW_S}s]))",
            f"max by (method, route, status) (timestamp({requests}))",
            _route,
        ),
        RateSeries(
            "container_throttled_ratio",
            f"({by_container} (rate({throttled}[{RATE_WINDOW_S}s])) / "
            f"{by_container} (rate({periods}[{RATE_WINDOW_S}s])))",
            f"max by (pod, container) (timestamp({periods}))",
            _container,
        ),
    )


class Prometheus:
    """Reads the service's series into the Run.

    Args:
        client: of the API server, through whose service proxy Prometheus is reached.
        service: `<namespace>/<scheme>:<name>:<port>` of Prometheus.
        wanted: what to ask.
        sink: where the samples go.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        service: str,
        wanted: tuple[RawSeries | RateSeries, ...],
        sink: MetricSink,
    ) -> None:
        namespace, _, name = service.partition("/")
        self._client = client
        self._path = f"/api/v1/namespaces/{namespace}/services/{name}/proxy/api/v1/query"
        self._wanted = wanted
        self._sink = sink

    async def ask(self) -> None:
        """Read every series once.

        Raises:
            httpx.HTTPError, BrokenError, GoneError: there was no answer, or none that can be read.
        """
        answers = await asyncio.gather(*(self._query(wanted.query) for wanted in self._wanted))
        for wanted, answer in zip(self._wanted, answers, strict=True):
            try:
                if isinstance(wanted, RawSeries):
                    self._take_raw(wanted, answer)
                else:
                    self._take_rate(wanted, answer)
            except (KeyError, TypeError, ValueError) as error:
                raise BrokenError(f"{wanted.name} cannot be read: {error!r}") from error

    async def _query(self, query: str) -> list[dict[str, Any]]:
        answer = await get_json(self._client, self._path, {"query": query})
        if answer.get("status") != "success":
            raise BrokenError(f"Prometheus: {answer.get('error')}")
        try:
            return cast("list[dict[str, Any]]", answer["data"]["result"])
        except (KeyError, TypeError) as error:
            raise BrokenError("Prometheus: an answer without a result") from error

    def _take_raw(self, wanted: RawSeries, result: list[dict[str, Any]]) -> None:
        sums: dict[tuple[str, float], float] = {}
        for found in result:
            labels = cast("Labels", found["metric"])
            pod = labels.get("pod") or labels.get("kubernetes_pod_name") or labels.get("instance", "")
            for t_s, text in cast("list[tuple[float, str]]", found["values"]):
                sums[pod, float(t_s)] = sums.get((pod, float(t_s)), 0.0) + float(text)
        for (pod, t_s), value in sorted(sums.items()):
            if math.isfinite(value):
                self._sink.add(wanted.name, {"pod": pod}, t_s, value)

    def _take_rate(self, wanted: RateSeries, result: list[dict[str, Any]]) -> None:
        values: dict[str, dict[tuple[tuple[str, str], ...], float]] = {"value": {}, "scraped": {}}
        for found in result:
            labels = dict(cast("Labels", found["metric"]))
            part = labels.pop(_PART)
            values[part][tuple(sorted(labels.items()))] = float(cast("tuple[float, str]", found["value"])[1])
        for key, value in values["value"].items():
            t_s = values["scraped"].get(key)
            if t_s is not None and math.isfinite(value):
                self._sink.add(wanted.name, wanted.labels(dict(key)), t_s, value, float(RATE_WINDOW_S))
