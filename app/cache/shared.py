"""Query results in Redis, for all pods."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from app.shared.changes import generation_key
from app.shared.link import RedisLink

_PREFIX = "tidegate:cache:"


@dataclass(frozen=True, slots=True)
class Found:
    """What Redis had, and the generations of the tags at that moment."""

    payload: bytes | None
    generations: bytes


class SharedLayer:
    """An entry holds the generations its tags had before it was loaded. A change raises them, and with
    that every entry that carries the tag is void, wherever it is written from and whenever it arrives.

    Args:
        ttl_s: life of an entry, at most: up to a fifth less, by chance.
    """

    def __init__(self, link: RedisLink, *, ttl_s: float) -> None:
        self._link = link
        self._ttl_s = ttl_s
        self._random = random.Random()  # noqa: S311 - spreads expiry, hides nothing

    @property
    def open(self) -> bool:
        """Whether asking makes sense now."""
        return self._link.open

    async def get(self, key: str, tags: Sequence[str]) -> Found:
        """Look up a value.

        Raises:
            SharedUnavailableError: Redis does not answer.
        """
        keys = [_PREFIX + key, *(generation_key(tag) for tag in tags)]
        # The client gives bytes, having been told not to decode; its types allow for both.
        answer = await self._link.call(lambda client: client.mget(keys), name="redis MGET")
        stored, *found = cast("list[bytes | None]", answer)
        generations = b",".join(value or b"0" for value in found)
        if stored is None:
            return Found(None, generations)
        held, _, payload = stored.partition(b"\n")
        return Found(payload if held == generations else None, generations)

    async def put(self, key: str, payload: bytes, generations: bytes) -> None:
        """Keep a value that was loaded after `generations` were read.

        Raises:
            SharedUnavailableError: Redis does not answer.
        """
        life_ms = int(1000 * self._ttl_s * self._random.uniform(0.8, 1.0))
        entry = generations + b"\n" + payload
        await self._link.call(lambda client: client.set(_PREFIX + key, entry, px=life_ms), name="redis SET")
