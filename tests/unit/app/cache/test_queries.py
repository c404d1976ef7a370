"""The query cache without Redis, and with one that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.cache.queries import Codec, QueryCache
from app.cache.responses import ResponseCache
from app.cache.shared import Found, SharedLayer
from app.core.metrics import Metrics
from app.shared.changes import Changes
from app.shared.link import RedisLink, SharedUnavailableError

CODEC: Codec[str] = Codec(str.encode, bytes.decode)


class Shared(SharedLayer):
    """A Redis in a dictionary."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__(RedisLink(None), ttl_s=60)
        self.kept: dict[str, bytes] = {}
        self.away = away

    @property
    def open(self) -> bool:
        return True

    async def get(self, key: str, tags: Sequence[str]) -> Found:
        if self.away:
            raise SharedUnavailableError("away")
        return Found(self.kept.get(key), b"0")

    async def put(self, key: str, payload: bytes, generations: bytes) -> None:
        if self.away:
            raise SharedUnavailableError("away")
        self.kept[key] = payload


class Rig:
    def __init__(self, shared: SharedLayer | None = None, *, ttl_s: float | None = 60) -> None:
        self.metrics = Metrics()
        self.changes = Changes(RedisLink(None))
        self.cache = QueryCache(shared or Shared(), self.changes, self.metrics, ttl_s=ttl_s)
        self.loads = 0
        self.began, self.gate = asyncio.Event(), asyncio.Event()
        self.value = "v"

    async def load(self) -> str:
        self.loads += 1
        value = self.value
        self.began.set()
        await self.gate.wait()
        return value

    async def fetch(self, key: str = "k", *tags: str) -> str:
        return await self.cache.fetch(key, tags or ("t",), self.load, CODEC)

    def count(self, layer: str, result: str) -> float:
        labels = {"layer": layer, "result": result}
        return self.metrics.registry.get_sample_value("tidegate_cache_lookups_total", labels) or 0


def test_a_thousand_at_once_make_one_query() -> None:
    async def scenario() -> None:
        rig = Rig()
        callers = [asyncio.create_task(rig.fetch()) for _ in range(1000)]
        await asyncio.sleep(0)
        rig.gate.set()
        assert set(await asyncio.gather(*callers)) == {"v"}
        assert rig.loads == 1
        assert (rig.count("memory", "miss"), rig.count("query", "joined")) == (1000, 999)
        assert await rig.fetch() == "v"
        assert (rig.count("memory", "hit"), rig.count("query", "made")) == (1, 1)

    asyncio.run(scenario())


def test_a_caller_that_gives_up_takes_nobody_with_it() -> None:
    async def scenario() -> None:
        rig = Rig()
        first, second = asyncio.create_task(rig.fetch()), asyncio.create_task(rig.fetch())
        await asyncio.sleep(0)
        first.cancel()
        rig.gate.set()
        assert await second == "v"
        assert rig.loads == 1

    asyncio.run(scenario())


def test_a_failure_reaches_all_who_wait_and_is_not_kept() -> None:
    async def scenario() -> None:
        rig = Rig()
        failing = True

        async def load() -> str:
            await asyncio.sleep(0)
            if failing:
                raise LookupError("not now")
            return "v"

        results = await asyncio.gather(
            *(rig.cache.fetch("k", ("t",), load, CODEC) for _ in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [LookupError] * 3
        failing = False
        assert await rig.cache.fetch("k", ("t",), load, CODEC) == "v"

    asyncio.run(scenario())


def test_who_asks_after_a_change_gets_what_is_new() -> None:
    async def scenario() -> None:
        shared = Shared()
        rig = Rig(shared)
        early = asyncio.create_task(rig.fetch())
        await rig.began.wait()
        rig.value = "new"
        await rig.changes.announce("t")
        shared.kept.clear()
        late = asyncio.create_task(rig.fetch())
        await asyncio.sleep(0)
        rig.gate.set()
        # Whoever asked before the change may get what was true then.
        assert (await early, await late) == ("v", "new")
        assert await rig.fetch() == "new"

    asyncio.run(scenario())


def test_what_another_pod_found_is_not_asked_for_again() -> None:
    async def scenario() -> None:
        shared = Shared()
        shared.kept["k"] = b"theirs"
        rig = Rig(shared)
        assert await rig.fetch() == "theirs"
        assert rig.loads == 0
        assert rig.count("redis", "hit") == 1

    asyncio.run(scenario())


def test_without_redis_the_query_answers() -> None:
    async def scenario() -> None:
        rig = Rig(Shared(away=True))
        rig.gate.set()
        assert [await rig.fetch(), await rig.fetch()] == ["v", "v"]
        assert rig.loads == 1
        assert rig.count("redis", "away") == 1

    asyncio.run(scenario())


def test_switched_off_every_lookup_is_a_query() -> None:
    async def scenario() -> None:
        rig = Rig(ttl_s=None)
        rig.gate.set()
        assert [await rig.fetch(), await rig.fetch()] == ["v", "v"]
        assert rig.loads == 2

    asyncio.run(scenario())


class Answers:
    """A response cache whose answers count up."""

    def __init__(self, *, stale_s: float = 3600) -> None:
        self.changes = Changes(RedisLink(None))
        # Stale at once, and for long: time plays no part.
        self.cache = ResponseCache(self.changes, Metrics(), ttl_s=1e-9, stale_s=stale_s)
        self.made = 0

    async def produce(self) -> bytes:
        self.made += 1
        return str(self.made).encode()

    async def fetch(self) -> bytes:
        return (await self.cache.fetch("k", ("t",), self.produce)).body


def test_a_stale_answer_is_given_while_one_refresh_runs() -> None:
    async def scenario() -> None:
        answers = Answers()
        assert await answers.fetch() == b"1"
        assert [await answers.fetch() for _ in range(5)] == [b"1"] * 5
        while answers.made < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert answers.made == 2
        assert await answers.fetch() == b"2"

    asyncio.run(scenario())


def test_after_a_change_no_stale_answer_is_given() -> None:
    async def scenario() -> None:
        answers = Answers()
        assert await answers.fetch() == b"1"
        await answers.changes.announce("t")
        assert await answers.fetch() == b"2"

    asyncio.run(scenario())


def test_a_failed_refresh_leaves_the_stale_answer(recwarn: pytest.WarningsRecorder) -> None:
    async def scenario() -> None:
        answers = Answers()
        assert await answers.fetch() == b"1"

        async def fail() -> bytes:
            raise LookupError("not now")

        for _ in range(3):
            assert (await answers.cache.fetch("k", ("t",), fail)).body == b"1"
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    asyncio.run(scenario())
    assert not recwarn.list
