"""The limiter without a Redis: not configured, or away."""

from __future__ import annotations

import asyncio

import pytest

from app.core.metrics import Metrics
from app.shared.limiter import Grant, LimiterClosedError, RateLimiter, Use, WithoutRedis
from app.shared.link import RedisLink

AWAY = "redis://127.0.0.1:1/0"


def use(without_redis: WithoutRedis = WithoutRedis.LOCAL, *, exact: bool = True) -> Use:
    return Use("things", "6/hour", exact=exact, without_redis=without_redis)


def take(url: str | None, wanted: Use, *, times: int, share: int = 3) -> list[Grant]:
    async def scenario() -> list[Grant]:
        limiter = RateLimiter(RedisLink(url), Metrics(), share=share)
        return [await limiter.take(wanted, "me") for _ in range(times)]

    return asyncio.run(scenario())


@pytest.mark.parametrize("exact", [True, False])
def test_a_process_alone_grants_the_whole_budget(exact: bool) -> None:
    grants = take(None, use(exact=exact), times=8)
    assert [grant.allowed for grant in grants] == [True] * 6 + [False] * 2


def test_one_callers_budget_is_not_anothers() -> None:
    async def scenario() -> None:
        limiter = RateLimiter(RedisLink(None), Metrics(), share=1)
        for _ in range(6):
            assert (await limiter.take(use(), "me")).allowed
        assert not (await limiter.take(use(), "me")).allowed
        assert (await limiter.take(use(), "you")).allowed

    asyncio.run(scenario())


def test_what_is_left_is_told() -> None:
    first, *_, last = take(None, use(), times=7)
    assert first.headers()["RateLimit-Policy"] == '"things";q=6;w=3600'
    assert first.headers()["RateLimit"].startswith('"things";r=5;t=')
    assert last.headers()["RateLimit"].startswith('"things";r=0;t=')
    assert last.reset_s is not None
    assert 0 < last.reset_s <= 3600
    # An estimate is not worth a second question, until it refuses.
    first, *_, last = take(None, use(exact=False), times=7)
    assert "RateLimit" not in first.headers()
    assert "RateLimit" in last.headers()


def test_with_redis_away_a_process_grants_its_share() -> None:
    grants = take(AWAY, use(), times=4)
    assert [grant.allowed for grant in grants] == [True, True, False, False]
    assert grants[0].quota == 2


def test_a_share_is_never_nothing() -> None:
    assert take(AWAY, use(), times=1, share=1000)[0].allowed


def test_with_redis_away_an_open_use_passes() -> None:
    assert all(grant.allowed for grant in take(AWAY, use(WithoutRedis.OPEN), times=20))


def test_with_redis_away_a_closed_use_does_not() -> None:
    with pytest.raises(LimiterClosedError):
        take(AWAY, use(WithoutRedis.CLOSED), times=1)


def test_every_outcome_is_counted() -> None:
    async def scenario() -> dict[str, float]:
        metrics = Metrics()
        limiter = RateLimiter(RedisLink(AWAY), metrics, share=6)
        for mode in (WithoutRedis.LOCAL, WithoutRedis.LOCAL, WithoutRedis.OPEN):
            await limiter.take(use(mode), "me")
        with pytest.raises(LimiterClosedError):
            await limiter.take(use(WithoutRedis.CLOSED), "me")
        return {
            sample.labels["result"]: sample.value
            for family in metrics.limits.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }

    assert asyncio.run(scenario()) == {"local_allowed": 1, "local_refused": 1, "open": 1, "closed": 1}
