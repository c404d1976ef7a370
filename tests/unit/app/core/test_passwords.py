from __future__ import annotations

import asyncio
import threading

import pytest

from app.core import passwords
from app.core.exceptions import OverloadedError
from app.core.passwords import PasswordChecker, hash_password, matches


def test_only_the_password_matches_its_hash() -> None:
    made = hash_password("right")
    assert made.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches(made, "right")
    assert not matches(made, "wrong")
    assert not matches(None, "right")
    assert not matches("not a hash", "right")
    assert hash_password("right") != made


def test_an_account_that_is_not_there_costs_a_hash_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        def __init__(self) -> None:
            self.verified: list[str] = []

        def hash(self, _password: str) -> str:
            return "nobody's"

        def verify(self, password_hash: str, _password: str) -> bool:
            self.verified.append(password_hash)
            return True

    hasher = Counting()
    monkeypatch.setattr(passwords, "_hasher", lambda: hasher)
    passwords._nobodys_hash.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert not matches(None, "anything")
    passwords._nobodys_hash.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert hasher.verified == ["nobody's"]


def test_checks_take_turns_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, go_on = 0, 0, threading.Event()
    loop_thread = threading.get_ident()

    def slow(_hash: str | None, _password: str) -> bool:
        nonlocal running, most
        assert threading.get_ident() != loop_thread
        running += 1
        most = max(most, running)
        assert go_on.wait(60)
        running -= 1
        return True

    monkeypatch.setattr(passwords, "matches", slow)

    async def scenario() -> None:
        checker = PasswordChecker(queue_limit=2)
        tasks = [asyncio.create_task(checker.check("h", "p")) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await checker.check("h", "p")
        go_on.set()
        assert await asyncio.gather(*tasks) == [True, True]
        assert await checker.check("h", "p")

    asyncio.run(scenario())
    assert most == 1
