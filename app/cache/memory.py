"""Values kept in the process: bounded in bytes, in age, and by tag."""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 8 * 1024 * 1024
_OVERHEAD_BYTES = 500
"""What an entry takes beside its value: key, tags, and Python's own."""
_MAX_TAGS = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and how long it may be used, on the monotonic clock."""

    value: Any
    tags: tuple[str, ...]
    size: int
    fresh_until_s: float
    stale_until_s: float

    @property
    def fresh(self) -> bool:
        """Whether it may be used without another thought."""
        return time.monotonic() < self.fresh_until_s


class MemoryLayer:
    """Least recently used entries go first.

    A value that was being loaded while its tag changed may be the old one. `epoch`, taken before the load
    and handed back with the value, tells: such a value is not kept.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._dropped: dict[str, int] = {}
        self._floor = 0
        # Not for secrets: entries made together must not expire together.
        self._random = random.Random()  # noqa: S311
        self.epoch = 0
        """Changes heard of so far."""
        self.bytes = 0
        """What the entries take."""

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> Entry | None:
        """The entry, fresh or stale; None when there is none that may be used."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if time.monotonic() >= entry.stale_until_s:
            self._remove(key)
            return None
        self._entries.move_to_end(key)
        return entry

    def put(
        self,
        key: str,
        value: Any,
        tags: tuple[str, ...],
        *,
        size: int,
        ttl_s: float,
        stale_s: float = 0.0,
        epoch: int,
    ) -> None:
        """Keep a value, unless one of its tags has changed since `epoch`.

        Args:
            size: bytes of the value, about.
            ttl_s: how long it is fresh, at most: up to a fifth less, by chance.
            stale_s: how long after that it may be used while a newer one is fetched.
        """
        if epoch < self._floor or any(self._dropped.get(tag, 0) > epoch for tag in tags):
            return
        size += _OVERHEAD_BYTES
        if size > self._max_bytes:
            return
        if key in self._entries:
            self._remove(key)
        until_s = time.monotonic() + ttl_s * self._random.uniform(0.8, 1.0)
        self._entries[key] = Entry(value, tags, size, until_s, until_s + stale_s)
        self.bytes += size
        while self.bytes > self._max_bytes:
            self._remove(next(iter(self._entries)))

    def drop(self, tags: Collection[str]) -> None:
        """Forget what carries one of the tags."""
        self.epoch += 1
        wanted = set(tags)
        for tag in wanted:
            self._dropped[tag] = self.epoch
        if len(self._dropped) > _MAX_TAGS:
            # Values under way are then not kept, whatever their tags: rare, and never wrong.
            self._dropped.clear()
            self._floor = self.epoch
        for key in [key for key, entry in self._entries.items() if not wanted.isdisjoint(entry.tags)]:
            self._remove(key)

    def clear(self) -> None:
        """Forget everything, and what is being loaded now."""
        self.epoch += 1
        self._floor = self.epoch
        self._entries.clear()
        self.bytes = 0

    def _remove(self, key: str) -> None:
        self.bytes -= self._entries.pop(key).size
