from __future__ import annotations

import asyncio

import pytest

from app.core.exceptions import DatabaseUnavailableError
from app.services.readiness import PATIENCE_S, Readiness

SOON_S = 0.01


class Database:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.answers = asyncio.Event()
        self.away = False
        self.now_s = 0.0

    async def ask(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.away:
            raise DatabaseUnavailableError("away")

    def readiness(self) -> Readiness:
        return Readiness(self.ask, clock=lambda: self.now_s)


def test_a_question_under_way_is_shared_and_outlives_those_who_wait_for_it() -> None:
    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        for _ in range(3):
            with pytest.raises(DatabaseUnavailableError, match="slow"):
                await readiness.check(SOON_S)
        assert database.asked == 1
        database.answers.set()
        await readiness.check(5)
        assert database.asked == 1
        await readiness.check(5)
        assert database.asked == 2

    asyncio.run(scenario())


def test_a_slow_database_is_not_away_until_patience_ends() -> None:
    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        database.answers.set()
        await readiness.check(5)
        database.answers.clear()
        database.now_s = PATIENCE_S
        await readiness.check(SOON_S)
        database.now_s = PATIENCE_S + 1
        with pytest.raises(DatabaseUnavailableError, match="slow"):
            await readiness.check(SOON_S)
        readiness.close()

    asyncio.run(scenario())


def test_a_database_that_is_away_is_so_at_once() -> None:
    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        database.answers.set()
        await readiness.check(5)
        database.away = True
        with pytest.raises(DatabaseUnavailableError, match="away"):
            await readiness.check(5)
        database.away = False
        await readiness.check(5)

    asyncio.run(scenario())


def test_the_first_answer_is_waited_for_whatever_it_is_and_later_ones_are_not() -> None:
    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        await readiness.first(SOON_S)
        database.away = True
        database.answers.set()
        await readiness.first(5)
        database.away = False
        await readiness.first(5)
        assert database.asked == 2
        await readiness.first(5)
        assert database.asked == 2

    asyncio.run(scenario())


def test_an_answer_that_nobody_heard_is_no_warning() -> None:
    """Warnings are errors here, and a task whose failure nobody took is one."""

    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        await readiness.first(SOON_S)
        database.away = True
        database.answers.set()
        await asyncio.sleep(SOON_S)

    asyncio.run(scenario())


def test_what_waits_for_the_first_answer_asks_nothing_itself() -> None:
    async def scenario() -> None:
        database = Database()
        readiness = database.readiness()
        await readiness.answered(SOON_S)
        assert database.asked == 0
        database.away = True
        waiting = asyncio.create_task(readiness.answered(5))
        await readiness.first(SOON_S)
        assert not waiting.done()
        database.answers.set()
        await waiting
        await readiness.answered(0)

    asyncio.run(scenario())
