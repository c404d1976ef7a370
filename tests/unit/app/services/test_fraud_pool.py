from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest

from app.core.exceptions import OverloadedError
from app.core.metrics import Metrics
from app.services.fraud import PlacedOrder, assess
from app.services.fraud_pool import SWITCH_INTERVAL_S, FraudPool

HISTORY = [PlacedOrder(1.75e9 + n * 3600, 4000 + n, 1 << (n % 9)) for n in range(64)]
ORDER = PlacedOrder(1.75e9 + 64 * 3600, 5000, 6)


@pytest.fixture(autouse=True)
def _switch_interval() -> Iterator[None]:
    before_s = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before_s)


def test_it_comes_to_what_the_function_does() -> None:
    async def scenario() -> None:
        metrics = Metrics()
        pool = FraudPool(weight=0.001, queue_limit=10, metrics=metrics)
        assert await pool.assess(HISTORY, ORDER) == assess(HISTORY, ORDER, 0.001)
        pool.close()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)

    asyncio.run(scenario())


def test_the_loop_turns_while_a_check_runs() -> None:
    async def scenario() -> None:
        pool = FraudPool(weight=0.1, queue_limit=10, metrics=Metrics())
        check = asyncio.create_task(pool.assess(HISTORY, ORDER))
        turns = 0
        while not check.done():
            await asyncio.sleep(0)
            turns += 1
        pool.close()
        # A check on the loop itself would leave room for two or three.
        assert turns > 20

    asyncio.run(scenario())


def test_beyond_the_limit_it_sheds_and_then_takes_again() -> None:
    async def scenario() -> None:
        pool = FraudPool(weight=0.01, queue_limit=3, metrics=Metrics())
        checks = [asyncio.create_task(pool.assess(HISTORY, ORDER)) for _ in range(5)]
        results = await asyncio.gather(*checks, return_exceptions=True)
        refused = [result for result in results if isinstance(result, OverloadedError)]
        assert len(refused) == 2
        assert all(error.retry_after_s for error in refused)
        await pool.assess(HISTORY, ORDER)
        pool.close()

    asyncio.run(scenario())


def test_a_caller_that_gives_up_is_passed_over() -> None:
    async def scenario() -> None:
        metrics = Metrics()
        pool = FraudPool(weight=0.02, queue_limit=10, metrics=metrics)
        first = asyncio.create_task(pool.assess(HISTORY, ORDER))
        second = asyncio.create_task(pool.assess(HISTORY, ORDER))
        await asyncio.sleep(0)
        second.cancel()
        await first
        await pool.assess(HISTORY, ORDER)
        pool.close()
        count = metrics.registry.get_sample_value("tidegate_fraud_check_cpu_seconds_count")
        assert count is not None
        assert count <= 2

    asyncio.run(scenario())


def test_a_defect_reaches_the_caller_and_leaves_the_thread_alive() -> None:
    async def scenario() -> None:
        pool = FraudPool(weight=0.001, queue_limit=10, metrics=Metrics())
        with pytest.raises(ValueError, match="amounts"):
            await pool.assess(HISTORY, PlacedOrder(0, 0, 0))
        assert (await pool.assess(HISTORY, ORDER)).operations > 0
        pool.close()

    asyncio.run(scenario())
