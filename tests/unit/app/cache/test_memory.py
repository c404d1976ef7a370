from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cache import memory
from app.cache.memory import MemoryLayer


class Clock:
    """Time as a test wants it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(memory.time, "monotonic", lambda: self.now_s)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def put(
    layer: MemoryLayer, key: str, *tags: str, size: int = 0, ttl_s: float = 10, stale_s: float = 0
) -> None:
    layer.put(key, key.upper(), tags, size=size, ttl_s=ttl_s, stale_s=stale_s, epoch=layer.epoch)


def test_an_entry_is_fresh_then_stale_then_gone(clock: Clock) -> None:
    layer = MemoryLayer()
    put(layer, "a", ttl_s=10, stale_s=30)
    found = layer.get("a")
    assert found is not None
    assert (found.value, found.fresh) == ("A", True)
    clock.now_s += 10
    stale = layer.get("a")
    assert stale is not None
    assert not stale.fresh
    clock.now_s += 30
    assert layer.get("a") is None
    assert (len(layer), layer.bytes) == (0, 0)


def test_entries_made_together_do_not_expire_together(clock: Clock) -> None:
    layer = MemoryLayer()
    for number in range(200):
        put(layer, str(number), ttl_s=10)
    clock.now_s += 9
    left = sum(layer.get(str(number)) is not None for number in range(200))
    assert 0 < left < 200
    clock.now_s += 1
    assert all(layer.get(str(number)) is None for number in range(200))


def test_the_least_used_make_room() -> None:
    layer = MemoryLayer(max_bytes=3 * 1500)
    for key in "abc":
        put(layer, key, size=1000)
    assert layer.get("a") is not None
    put(layer, "d", size=1000)
    assert [key for key in "abcd" if layer.get(key)] == ["a", "c", "d"]
    put(layer, "huge", size=5000)
    assert layer.get("huge") is None
    assert len(layer) == 3


def test_a_change_takes_what_carries_its_tag_and_nothing_else() -> None:
    layer = MemoryLayer()
    put(layer, "a", "x")
    put(layer, "b", "x", "y")
    put(layer, "c", "z")
    layer.drop(["y", "unknown"])
    assert [key for key in "abc" if layer.get(key)] == ["a", "c"]
    layer.clear()
    assert len(layer) == 0


def test_what_changed_while_it_was_loaded_is_not_kept() -> None:
    layer = MemoryLayer()
    epoch = layer.epoch
    layer.drop(["x"])
    layer.put("old", 1, ("x",), size=1, ttl_s=10, epoch=epoch)
    layer.put("other", 1, ("y",), size=1, ttl_s=10, epoch=epoch)
    layer.put("new", 1, ("x",), size=1, ttl_s=10, epoch=layer.epoch)
    assert [key for key in ("old", "other", "new") if layer.get(key)] == ["other", "new"]
    epoch = layer.epoch
    layer.clear()
    layer.put("older", 1, ("y",), size=1, ttl_s=10, epoch=epoch)
    assert layer.get("older") is None


def test_the_memory_of_changes_is_bounded_and_errs_on_the_safe_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MAX_TAGS", 2)
    layer = MemoryLayer()
    epoch = layer.epoch
    for number in range(3):
        layer.drop([f"t{number}"])
    for tag in ("t0", "t2", "unrelated"):
        layer.put(tag, 1, (tag,), size=1, ttl_s=10, epoch=epoch)
        assert layer.get(tag) is None


@given(
    st.lists(
        st.one_of(
            st.tuples(
                st.just("put"), st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(0, 3000)
            ),
            st.tuples(st.just("drop"), st.just(""), st.sampled_from("xyz"), st.just(0)),
        ),
        max_size=40,
    )
)
def test_the_bound_holds_whatever_happens(steps: list[tuple[str, str, str, int]]) -> None:
    layer = MemoryLayer(max_bytes=8000)
    for action, key, tag, size in steps:
        if action == "put":
            put(layer, key, tag, size=size)
        else:
            layer.drop([tag])
        assert 0 <= layer.bytes <= 8000
        assert (layer.bytes == 0) == (len(layer) == 0)
