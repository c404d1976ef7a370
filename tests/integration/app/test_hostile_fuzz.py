"""Many hostile requests from a seed, beside many slow callers: right refusals, bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable

import httpx
import pytest
import uvloop
from support.dose import Dose
from support.hostile_requests import Hostile, HostileRequests, request
from support.login import bearer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.acceptance, pytest.mark.timeout(3600)]

StartService = Callable[..., ServiceProcess]

SEED = 1
AT_ONCE = 16
PATIENCE_S = 1.0
BOUND_MB = 48
"""What memory may grow by above what the process has after the first requests: caches take at most 16, and
the rest is the allocator's."""
BOUND_KB_A_CALLER = 64
"""And for each slow caller: a connection, and for every second a request that waits for its body."""


async def _exchange(port: int, sent: Hostile) -> bytes:
    """What the server answers before it closes; nothing when it only closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent.data)
        answer = asyncio.create_task(_read(reader))
        # The server may rightly wait for more of what was no whole request, and has its own limits for that.
        # To end our half before it has answered would be to leave.
        await asyncio.wait([answer], timeout=PATIENCE_S if sent.silent else None)
        if not answer.done():
            writer.write_eof()
        return await answer
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while piece := await reader.read(65_536):
            answer += piece
    return answer


def _verdict(sent: Hostile, answer: bytes) -> str | None:
    """What is wrong with the answer; None when nothing is."""
    if not answer:
        return None if sent.silent else "no answer"
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    if status not in sent.right:
        return f"{status}"
    if status >= 400 and len(body) > 20_000:
        return f"{status} with a body of {len(body)} bytes"
    if status in {401, 403, 404, 409, 422} and b"application/problem+json" not in head:
        return f"{status} that is no problem document"
    return None


class _SlowCallers:
    """Connections on which a request begins and comes no further, or by a byte now and then."""

    def __init__(self, port: int, number: int) -> None:
        self._port = port
        self._number = number
        self.ends: Counter[str] = Counter()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._number):
                tasks.create_task(self._hold(number))

    async def _hold(self, number: int) -> None:
        whole = request(
            "POST", "/api/v2/orders", bearer(1) | {"Content-Type": "application/json"}, b" " * 500
        )
        begin = whole[:60] if number % 2 else whole[: len(whole) - 400]
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(begin)
            answer = asyncio.create_task(reader.read())
            for byte in whole[len(begin) :]:
                done, _ = await asyncio.wait([answer], timeout=0.5)
                if done:
                    break
                writer.write(bytes([byte]))
            status = (await answer).split()[1:2]
            self.ends[status[0].decode() if status else "closed"] += 1
        except ConnectionError:
            self.ends["closed"] += 1
        finally:
            writer.close()


def test_hostile_requests_are_refused_rightly_and_leave_no_trace(
    migrated_url: str, start_service: StartService, dose: Dose, record: Callable[..., None]
) -> None:
    settings = {"LIMIT_READS": "1000000/hour", "LIMIT_WRITES": "1000000/hour", "BODY_TIMEOUT_S": "3"}
    process = start_service("app", DATABASE_URL=migrated_url, QUEUE_AGE_LIMIT_S="100000", **settings)
    with process.wait_ready() as web:
        foreign = [_place(web, number) for number in range(2, 8)]
        draw = HostileRequests(SEED, token=bearer(1), foreign_orders=foreign)
        port = process.event("serving")["port"]
        kinds: Counter[str] = Counter()
        wrong: list[str] = []

        async def attack(number: int) -> None:
            left = number

            async def one() -> None:
                nonlocal left
                while left > 0:
                    left -= 1
                    sent = draw.next()
                    kinds[sent.kind] += 1
                    verdict = _verdict(sent, await _exchange(port, sent))
                    if verdict is not None:
                        wrong.append(f"{sent.kind}: {verdict}, for {sent.data[:300]!r}")

            async with asyncio.TaskGroup() as tasks:
                for _ in range(AT_ONCE):
                    tasks.create_task(one())

        async def run() -> tuple[float, Counter[str]]:
            # What a process needs once: modules, compiled statements, connections.
            await attack(max(200, dose.hostile_requests // 10))
            before_mb = process.memory_mb()
            slow = _SlowCallers(port, dose.hostile_connections)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(slow.run())
                tasks.create_task(attack(dose.hostile_requests))
            return before_mb, slow.ends

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            before_mb, slow_ends = runner.run(run())
        record(
            requests=dict(kinds),
            wrong_answers=len(wrong),
            seed=SEED,
            slow_callers=dict(slow_ends),
            memory_mb={
                "before": round(before_mb, 1),
                "after": round(process.memory_mb(), 1),
                "peak": round(process.memory_mb(peak=True), 1),
            },
        )
        assert wrong == []
        assert not [line for line in process.lines if line.get("event") == "request_failed"]
        # Each of the slow was told so, or hung up on; none was waited for.
        assert set(slow_ends) <= {"408", "closed"}
        bound_mb = BOUND_MB + dose.hostile_connections * BOUND_KB_A_CALLER / 1024
        assert process.memory_mb(peak=True) - before_mb < bound_mb
        assert web.get("/readyz").status_code == 200
        assert web.get("/api/v2/orders", headers=bearer(1)).status_code == 200


def _place(web: httpx.Client, number: int) -> str:
    order = web.post(
        "/api/v2/orders", json={"lines": [{"product_id": 1, "quantity": 1}]}, headers=bearer(number)
    )
    assert order.status_code == 202
    return order.json()["id"]
