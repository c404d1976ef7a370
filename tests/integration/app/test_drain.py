"""SIGTERM under load, with callers that behave as a gateway does."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import httpx
import pytest
from support.children import wait_until
from support.login import bearer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

ORDER = {"account_id": "acct-0003", "lines": [{"product_id": 3, "quantity": 1}]}


class _Caller(threading.Thread):
    """Sends one request after the other on kept connections until the pod is out of rotation."""

    def __init__(self, url: str, out_of_rotation: threading.Event) -> None:
        super().__init__(daemon=True)
        self.statuses: list[int] = []
        self.errors: list[str] = []
        self.closed = 0
        self._url = url
        self._out = out_of_rotation

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=300, headers=bearer(3)) as client:
            while not self._out.is_set():
                try:
                    answer = client.post("/api/v1/orders", json=ORDER)
                except httpx.HTTPError as error:
                    self.errors.append(repr(error))
                    continue
                self.statuses.append(answer.status_code)
                self.closed += answer.headers.get("Connection") == "close"


def test_no_request_fails_while_the_process_drains(
    migrated_url: str, start_service: Callable[..., ServiceProcess]
) -> None:
    # Long enough checks that many requests are under way at any moment.
    process = start_service("app", DATABASE_URL=migrated_url, FRAUD_WEIGHT="0.005", DRAIN_S="2")
    with process.wait_ready() as probe:
        out = threading.Event()
        callers = [_Caller(str(probe.base_url), out) for _ in range(6)]
        for caller in callers:
            caller.start()
        wait_until(lambda: all(len(caller.statuses) >= 3 for caller in callers), what="load")
        process.signal(signal.SIGTERM)
        wait_until(lambda: probe.get("/readyz").status_code == 503, what="unreadiness")
        assert probe.get("/readyz").json()["type"] == "urn:tidegate:problem:draining"
        # The endpoints' controllers take a moment; requests go on meanwhile and must be served.
        before = [len(caller.statuses) for caller in callers]
        wait_until(
            lambda: all(len(c.statuses) > n for c, n in zip(callers, before, strict=True)),
            what="service during the drain",
        )
        out.set()
        for caller in callers:
            caller.join(300)
    assert process.wait() == 0
    assert [caller.errors for caller in callers] == [[]] * 6
    assert {status for caller in callers for status in caller.statuses} == {201}
    assert all(caller.closed for caller in callers), "kept connections were told to close"
    assert process.event("stopped")["signal"] == "SIGTERM"


def test_a_request_under_way_ends_before_the_process(
    migrated_url: str, start_service: Callable[..., ServiceProcess]
) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, FRAUD_WEIGHT="0.4", DRAIN_S="0")
    with process.wait_ready() as probe:
        out = threading.Event()
        caller = _Caller(str(probe.base_url), out)
        caller.start()
        wait_until(lambda: "http_requests_in_progress 1.0" in probe.get("/metrics").text, what="a request")
        out.set()
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    caller.join(300)
    assert (caller.statuses, caller.errors) == ([201], [])


def test_the_time_for_the_end_is_bounded(
    migrated_url: str, start_service: Callable[..., ServiceProcess]
) -> None:
    # One check takes far longer than the process is given.
    process = start_service(
        "app", DATABASE_URL=migrated_url, FRAUD_WEIGHT="10", DRAIN_S="0", GRACEFUL_TIMEOUT_S="1"
    )
    with process.wait_ready() as probe:
        out = threading.Event()
        caller = _Caller(str(probe.base_url), out)
        caller.start()
        wait_until(lambda: "http_requests_in_progress 1.0" in probe.get("/metrics").text, what="a request")
        out.set()
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    caller.join(300)
    assert caller.statuses != [201]


def test_an_idle_process_ends_at_once_on_a_second_signal(
    migrated_url: str, start_service: Callable[..., ServiceProcess]
) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, DRAIN_S="300", GRACEFUL_TIMEOUT_S="600")
    process.wait_ready().close()
    process.signal(signal.SIGTERM)
    process.event("drain_begins")
    process.signal(signal.SIGTERM)
    assert process.wait() == 0
    assert process.event("drain_cut_short")


def test_an_interrupt_is_status_130(migrated_url: str, start_service: Callable[..., ServiceProcess]) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, DRAIN_S="0")
    process.wait_ready().close()
    process.signal(signal.SIGINT)
    assert process.wait() == 130
