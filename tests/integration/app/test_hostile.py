"""Callers that mean no good, or know no better: the right refusal, and a service that goes on."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import uuid
from collections.abc import Callable

import httpx
import pytest
from support.login import bearer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def web(shared_web: httpx.Client) -> httpx.Client:
    """The first account's client."""
    shared_web.headers.update(bearer(1))
    return shared_web


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        (b"", {422}),
        (b"\xff\xfe\x00", {400, 422}),
        (b"[" * 50_000, {400, 422}),
        (b'{"lines": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", {400, 422}),
        (b'{"lines": [{"product_id": 1e400, "quantity": 1}]}', {422}),
        (b'{"lines": [{"product_id": 99999999999999999999999, "quantity": 1}]}', {422}),
        (b'{"lines": [{"product_id": 1, "quantity": 1}], "lines": []}', {422}),
        (b'{"lines": [{"product_id": 1, "quantity": 1}], "account_id": "acct-\\u0000"}', {422}),
        (b'{"lines": [{"product_id": 1, "quantity": NaN}]}', {400, 422}),
        (b'"' + b"\\ud800" * 3 + b'"', {400, 422}),
        (b'{"' + b"k" * 60_000 + b'": 0}', {422}),
        (b"{" + b",".join(b'"%d": 0' % number for number in range(5_000)) + b"}", {422}),
        (b'{"\\ud800": 0, "lines": [{"product_id": 1, "quantity": 1}]}', {400, 422}),
        (b"null", {422}),
        (b"{}" * 20_000, {422}),
        (b"x" * 65_537, {413}),
    ],
)
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_bodies_that_are_no_orders(web: httpx.Client, version: str, body: bytes, statuses: set[int]) -> None:
    answer = web.post(f"/api/{version}/orders", content=body, headers=JSON)
    assert answer.status_code in statuses
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.content) < 20_000, "a refusal repeats what it refuses"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/xml; charset=utf-7"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Encoding": "gzip", **JSON},
        {"Authorization": "Bearer " + "a" * 5000},
        {"Authorization": "Basic YWRtaW46YWRtaW4="},
        {"Authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhY2N0LTAwMDEifQ."},
        {"Idempotency-Key": "k" * 5000},
        {"X-Forwarded-For": "a, b, c" * 500},
        {"Cookie": "session=" + "x" * 8000},
        {"If-None-Match": '"' + "x" * 8000},
        {"X-Request-Id": "{{7*7}}<script>"},
    ],
)
def test_headers_that_make_no_sense(web: httpx.Client, headers: dict[str, str]) -> None:
    order = b'{"lines": [{"product_id": 1, "quantity": 1}]}'
    for method, path in (
        ("POST", "/api/v2/orders"),
        ("GET", "/api/v2/products"),
        ("POST", "/api/v2/auth/token"),
    ):
        answer = web.request(method, path, content=order if method == "POST" else None, headers=headers)
        assert answer.status_code < 500
        assert "<script>" not in answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v2/products?q=%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v2/products/\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /%00%0d%0aX-Evil:1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /api/v2/../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /api/v2/orders HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v2/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/v2/orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
        b"FROB / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"\r\n\r\n\r\n\r\n garbage \r\n\r\n",
    ],
)
def test_bytes_that_are_hardly_http(web: httpx.Client, data: bytes) -> None:
    with socket.create_connection((web.base_url.host, web.base_url.port or 0), 60) as connection:
        connection.settimeout(60)
        answer = b""
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65_536):
                answer += chunk
    if answer:
        assert int(answer.split()[1]) < 500
        assert b"X-Evil" not in answer.split(b"\r\n\r\n")[0]
    assert web.get("/healthz").status_code == 200


def test_other_peoples_orders_cannot_be_told_from_none(web: httpx.Client) -> None:
    order = web.post("/api/v2/orders", json={"lines": [{"product_id": 1, "quantity": 1}]})
    theirs, nobodys = order.json()["id"], str(uuid.uuid4())
    for version in ("v1", "v2"):
        answers = [
            web.get(f"/api/{version}/orders/{order_id}", headers=bearer(2)) for order_id in (theirs, nobodys)
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        texts = [answer.json()["detail"].replace(theirs, "ID").replace(nobodys, "ID") for answer in answers]
        assert texts[0] == texts[1]


def test_refused_floods_leave_no_trace_in_memory(web: httpx.Client, shared_web: httpx.Client) -> None:
    def resident_mb() -> float:
        lines = shared_web.get("/metrics").text.splitlines()
        (line,) = [each for each in lines if each.startswith("process_resident_memory_bytes ")]
        return float(line.split()[1]) / 2**20

    def flood(number: int) -> None:
        with httpx.Client(base_url=web.base_url, headers=bearer(1), timeout=300) as client:
            for _ in range(10):
                with contextlib.suppress(httpx.HTTPError):
                    client.post("/api/v2/orders", content=iter([b"x" * 30_000] * 10), headers=JSON)
                client.get("/api/v2/products", params={"q": f"{number}-{uuid.uuid4()}"[:50]})

    flood(0)
    before = resident_mb()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(flood, range(20)))
    # 60 MB went in; what stays is bounded by the caches' 16.
    assert resident_mb() - before < 40
