"""Pod metrics and Prometheus, each asked over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from support.api_server import ApiServer

from tidegate.observe.api import api_client
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.observe.podmetrics import PodMetrics
from tidegate.observe.poll import poll_for_ever
from tidegate.observe.prometheus import Prometheus, RateSeries, RawSeries, series
from tidegate.observe.protocol import BrokenError
from tidegate.observe.sink import MetricSink
from tidegate.run import RunWriter, read_jsonl

PODS = "/apis/metrics.k8s.io/v1beta1/namespaces/tidegate/pods"
SERVICE = "observability/http:prometheus:9090"
QUERY = "/api/v1/namespaces/observability/services/http:prometheus:9090/proxy/api/v1/query"

Talk = Callable[[ApiServer, httpx.AsyncClient, MetricSink], Awaitable[None]]


def asked(
    folder: Path, talk: Callable[[ApiServer, httpx.AsyncClient, MetricSink], Awaitable[None]]
) -> pl.DataFrame:
    """Let `talk` ask a server into a sink, and return what was written."""
    server = ApiServer()

    async def run() -> None:
        await server.start()
        sink = MetricSink(folder)
        async with api_client(ApiAccess(server.url, verify=False, headers={})) as client:
            await talk(server, client, sink)
        sink.close()
        await server.stop()

    asyncio.run(run())
    frames = [pl.read_parquet(path) for path in sorted((folder / "metrics").glob("*.parquet"))]
    return pl.concat(frames)


def pod_metrics(at: str, cpu: str, memory: str = "64Mi") -> dict[str, Any]:
    container = {"name": "web", "usage": {"cpu": cpu, "memory": memory}}
    pod = {"metadata": {"name": "web-1"}, "timestamp": at, "window": "15.5s", "containers": [container]}
    return {"kind": "PodMetricsList", "items": [pod]}


def test_pod_metrics_keep_their_own_time_and_only_what_is_new(tmp_path: Path) -> None:
    async def talk(server: ApiServer, client: httpx.AsyncClient, sink: MetricSink) -> None:
        metrics = PodMetrics(client, "tidegate", sink, {"web-1": "node-2"}.__getitem__)
        for answer in (
            pod_metrics("2026-01-01T00:00:00Z", "100m"),
            pod_metrics("2026-01-01T00:00:00Z", "100m"),
            pod_metrics("2026-01-01T00:00:15Z", "150000000n"),
            pod_metrics("2026-01-01T00:00:00Z", "100m"),  # a replica of the metrics server that trails behind
        ):
            server.answers[PODS] = answer
            await metrics.ask()

    rows = asked(tmp_path, talk)
    cpu = rows.filter(pl.col("name") == "pod_cpu_cores")
    assert cpu.select("t_s", "value", "window_s").rows() == [
        (1767225600.0, 0.1, 15.5),
        (1767225615.0, 0.15, 15.5),
    ]
    assert {json.loads(text)["node"] for text in cpu["labels"]} == {"node-2"}
    assert cpu["labels"][0] == '{"container":"web","node":"node-2","pod":"web-1"}'
    memory = rows.filter(pl.col("name") == "pod_memory_bytes")
    assert memory["value"].to_list() == [64 * 2**20] * 2


NAMELESS: dict[str, Any] = {"items": [{}]}


@pytest.mark.parametrize(
    "spoilt", [NAMELESS, pod_metrics("yesterday", "1"), pod_metrics("2026-01-01T00:00:00Z", "x")]
)
def test_pod_metrics_that_cannot_be_read_are_a_failure_that_may_pass(
    tmp_path: Path, spoilt: dict[str, Any]
) -> None:
    async def talk(server: ApiServer, client: httpx.AsyncClient, sink: MetricSink) -> None:
        server.answers[PODS] = spoilt
        with pytest.raises(BrokenError):
            await PodMetrics(client, "tidegate", sink, str).ask()
        sink.add("other", {}, 1.0, 1.0)

    assert asked(tmp_path, talk).height == 1


def result(*found: dict[str, Any]) -> dict[str, Any]:
    return {"status": "success", "data": {"result": list(found)}}


def test_raw_samples_keep_the_time_of_their_scrape_and_add_up_within_a_pod(tmp_path: Path) -> None:
    wanted = RawSeries("http_in_progress", "http_requests_in_progress")

    async def talk(server: ApiServer, client: httpx.AsyncClient, sink: MetricSink) -> None:
        prometheus = Prometheus(client, SERVICE, (wanted,), sink)
        target = f"{QUERY}?query={wanted.query}"
        server.answers[target] = result(
            {"metric": {"pod": "web-1", "method": "GET"}, "values": [[10.5, "1"], [15.5, "2"]]},
            {"metric": {"pod": "web-1", "method": "POST"}, "values": [[10.5, "3"], [15.5, "4"]]},
            {"metric": {"pod": "web-2", "method": "GET"}, "values": [[11.25, "7"], [16.25, "NaN"]]},
        )
        await prometheus.ask()
        server.answers[target] = result(
            {"metric": {"pod": "web-1", "method": "GET"}, "values": [[15.5, "2"], [20.5, "5"]]},
            {"metric": {"pod": "web-1", "method": "POST"}, "values": [[15.5, "4"]]},
        )
        await prometheus.ask()

    rows = asked(tmp_path, talk).select("labels", "t_s", "value", "window_s").rows()
    assert rows == [
        ('{"pod":"web-1"}', 10.5, 4.0, None),
        ('{"pod":"web-1"}', 15.5, 6.0, None),
        ('{"pod":"web-2"}', 11.25, 7.0, None),
        ('{"pod":"web-1"}', 20.5, 5.0, None),
    ]


def test_rates_bear_the_time_of_their_newest_scrape(tmp_path: Path) -> None:
    (wanted,) = (one for one in series("tidegate") if one.name == "http_rps")
    assert isinstance(wanted, RateSeries)

    def found(part: str, value: str, status: str) -> dict[str, Any]:
        labels = {"method": "POST", "route": "/api/v1/orders", "status": status, "tidegate_part": part}
        return {"metric": labels, "value": [99.0, value]}

    async def talk(server: ApiServer, client: httpx.AsyncClient, sink: MetricSink) -> None:
        prometheus = Prometheus(client, SERVICE, (wanted,), sink)
        target = f"{QUERY}?query={wanted.query}"
        # The same scrape asked twice, then the next one; 503 has a scrape time and no rate yet.
        for scraped, rate in (("50.5", "2.5"), ("50.5", "2.4"), ("55.5", "3")):
            server.answers[target] = result(
                found("value", rate, "201"),
                found("scraped", scraped, "201"),
                found("scraped", scraped, "503"),
            )
            await prometheus.ask()

    rows = asked(tmp_path, talk)
    assert rows.select("t_s", "value", "window_s").rows() == [(50.5, 2.5, 30.0), (55.5, 3.0, 30.0)]
    assert rows["labels"][0] == '{"route":"POST /api/v1/orders","status":"201"}'


def test_an_outage_is_noted_when_it_begins_and_when_it_ends(tmp_path: Path) -> None:
    notes = RunWriter(tmp_path)

    async def run() -> None:
        asks = 0

        async def ask() -> None:
            nonlocal asks
            asks += 1
            if 2 <= asks <= 4:
                raise BrokenError("HTTP 503")
            if asks == 6:
                raise asyncio.CancelledError

        await poll_for_ever("Prometheus", ask, period_s=0.01, notes=notes)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    notes.close()
    found = [note for _, note in read_jsonl(tmp_path / "recorder.jsonl")]
    assert [note["what"] for note in found] == ["Prometheus: no answer: HTTP 503", "Prometheus: sees again"]
    assert found[1]["gap_s"] > 0
