"""One order, one trace: from the caller over both processes to a collector, in OTLP's own bytes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support.children import free_port, wait_until
from support.login import account, bearer
from support.otlp_receiver import Received, Receiver, receiving
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]

CALLER = "00f067aa0ba902b7"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
BODY: dict[str, Any] = {"lines": [{"product_id": 1, "quantity": 1}]}


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def settings(url: str, redis: RedisServer, endpoint: str) -> dict[str, str]:
    return {"DATABASE_URL": url, "REDIS_URL": redis.url, "OTLP_ENDPOINT": endpoint, "LOG_LEVEL": "INFO"}


def place(web: httpx.Client, **headers: str) -> httpx.Response:
    answer = web.post("/api/v2/orders", json=BODY, headers=bearer() | headers)
    assert answer.status_code == 202, answer.text
    return answer


def decided(web: httpx.Client, answer: httpx.Response) -> bool:
    return web.get(answer.headers["Location"], headers=bearer()).json()["status"] != "pending"


def one(spans: list[Received], name: str) -> Received:
    (found,) = [span for span in spans if span.name == name]
    return found


def stopped(*processes: ServiceProcess) -> None:
    """End them, which sends the spans that wait."""
    for process in processes:
        process.signal()
        assert process.wait() == 0


def test_an_order_is_one_trace_from_the_caller_to_the_decision(
    migrated_url: str, redis_server: RedisServer, start_service: StartService, collector: Receiver
) -> None:
    env = settings(migrated_url, redis_server, collector.url)
    worker, process = start_service("app.worker", **env), start_service("app", **env)
    with process.wait_ready() as web:
        answer = place(web, traceparent=f"00-{TRACE}-{CALLER}-01", **{"X-Request-Id": "order-1"})
        wait_until(lambda: decided(web, answer), what="the decision")
    stopped(process, worker)
    assert collector.paths == {"/v1/traces"}
    spans = collector.spans(TRACE)
    by_id = {span.span_id: span for span in spans}
    assert len(by_id) == len(spans)

    request = one(spans, "POST /api/v2/orders")
    assert (request.service, request.kind, request.parent_id) == ("tidegate-web", "server", CALLER)
    assert request.attributes["http.route"] == "/api/v2/orders"
    assert request.attributes["http.response.status_code"] == 202
    assert request.attributes["tidegate.request_id"] == "order-1"
    publish = one(spans, "publish orders")
    assert (publish.service, publish.kind) == ("tidegate-worker", "producer")
    assert publish.parent_id == request.span_id
    decision = one(spans, "process orders")
    assert (decision.service, decision.kind) == ("tidegate-worker", "consumer")
    assert decision.parent_id == publish.span_id
    assert one(spans, "fraud check").parent_id == decision.span_id
    order_id = answer.headers["Location"].rpartition("/")[2]
    assert publish.attributes["tidegate.order_id"] == decision.attributes["tidegate.order_id"] == order_id

    def below(parent: Received, system: str) -> set[str]:
        return {
            span.name
            for span in spans
            if span.parent_id == parent.span_id and span.attributes.get("db.system.name") == system
        }

    assert {"INSERT orders", "INSERT order_lines", "INSERT outbox"} <= below(request, "postgresql")
    assert below(request, "redis") == {"redis limit writes"}
    assert {"SELECT orders", "UPDATE orders", "DELETE outbox"} <= below(decision, "postgresql")
    assert below(decision, "redis") == {"redis announce"}
    for span in spans:
        assert span.end_ns >= span.start_ns > 0
        assert not span.failed
        above = by_id.get(span.parent_id)
        assert above is not None or span is request
        assert above is None or span.start_ns >= above.start_ns
    # Values stay out: statements carry places for them.
    texts = [str(span.attributes.get("db.query.text", "")) for span in spans]
    assert any("$1" in text for text in texts)
    assert not any(account(1) in text or order_id in text for text in texts)


def test_without_a_callers_trace_one_begins_and_only_requests_make_any(
    migrated_url: str, redis_server: RedisServer, start_service: StartService, collector: Receiver
) -> None:
    env = settings(migrated_url, redis_server, collector.url)
    worker, process = start_service("app.worker", **env), start_service("app", **env)
    worker.event("serving")
    with process.wait_ready() as web:
        assert web.get("/api/v2/products", params={"category": "tools"}).status_code == 200
        assert web.get("/metrics").status_code == 200
        assert web.get("/nowhere").status_code == 404
    stopped(process, worker)
    # Probes and scrapes make no spans, nor do the relay's looks; a path that is no route is no name.
    (listing, unknown) = sorted(
        (span for span in collector.spans() if span.parent_id == ""), key=lambda span: span.start_ns
    )
    assert (listing.name, unknown.name) == ("GET /api/v2/products", "GET")
    assert listing.trace_id != unknown.trace_id
    below = {span.name for span in collector.spans(listing.trace_id)} - {listing.name}
    assert below == {"redis limit reads", "redis MGET", "redis SET", "SELECT products"}


def test_a_caller_that_does_not_record_is_not_recorded(
    migrated_url: str, redis_server: RedisServer, start_service: StartService, collector: Receiver
) -> None:
    env = settings(migrated_url, redis_server, collector.url)
    worker, process = start_service("app.worker", **env), start_service("app", **env)
    with process.wait_ready() as web:
        answer = place(web, traceparent=f"00-{TRACE}-{CALLER}-00")
        wait_until(lambda: decided(web, answer), what="the decision")
    stopped(process, worker)
    # Only the looks at the order, which had no trace of their own.
    assert collector.spans(TRACE) == []
    assert {span.name for span in collector.spans() if span.kind == "server"} == {"GET /api/v2/orders/{id}"}


@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "never answers"])
def test_an_absent_collector_costs_nothing(
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    monkeypatch: pytest.MonkeyPatch,
    silent: bool,
) -> None:
    """Connections are refused, or taken and never answered: orders are decided and both processes end."""
    # Each span is sent at once, and the exporter would wait and try again for ten minutes.
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600")
    with socket.socket() as deaf, contextlib.ExitStack() as held:
        deaf.bind(("127.0.0.1", 0))
        deaf.settimeout(60)
        if silent:
            deaf.listen(16)
        port = deaf.getsockname()[1] if silent else free_port()
        env = settings(migrated_url, redis_server, f"http://127.0.0.1:{port}")
        worker, process = start_service("app.worker", **env), start_service("app", **env)
        with process.wait_ready() as web:
            first = place(web)
            wait_until(lambda: decided(web, first), what="the decision")
            if silent:
                # Both exporters are in their first request from here on, and stay there.
                for _ in range(2):
                    held.enter_context(deaf.accept()[0])
            answers = [place(web) for _ in range(20)]
            for answer in answers:
                wait_until(lambda answer=answer: decided(web, answer), what="the decision")
        for each in (process, worker):
            each.signal()
        for each in (process, worker):
            assert each.wait(within_s=120) == 0
            assert each.event("traces_left_behind")
            assert each.event("stopped")["signal"] == "SIGTERM"
