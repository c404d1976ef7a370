"""Entries of the cache: whole or absent, checked, one maker at a time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tidegate.images.store import Entry, lock, lock_now, making, verify

ENTRY = Entry("bin", "tool", "ab" * 32)


def make(text: str = "content") -> Path:
    with making(ENTRY, versions={"tool": "v1"}) as folder:
        (folder / "tool").write_text(text)
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("deeper")
    return ENTRY.path / "tool"


def test_a_made_entry_is_whole(cache: Path) -> None:
    assert ENTRY.problem() is not None
    tool = make()
    assert tool.read_text() == "content"
    assert ENTRY.problem() is None
    assert ENTRY.problem(thorough=True) is None
    assert ENTRY.bytes() == len("content") + len("deeper")
    assert list((cache / "making").iterdir()) == []


def test_an_error_while_making_leaves_nothing(cache: Path) -> None:
    def fail() -> None:
        with making(ENTRY, versions={}) as folder:
            (folder / "tool").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert not ENTRY.exists()
    assert list((cache / "making").iterdir()) == []


def test_a_failed_second_attempt_leaves_the_first_entry(cache: Path) -> None:
    tool = make("first")

    def fail() -> None:
        with making(ENTRY, versions={}) as folder:
            (folder / "tool").write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert tool.read_text() == "first"
    assert ENTRY.problem(thorough=True) is None


def test_a_killed_maker_leaves_no_entry_and_the_next_one_succeeds(cache: Path) -> None:
    code = textwrap.dedent(
        """
        import os, signal
        from tidegate.images.store import Entry, making
        with making(Entry("bin", "tool", "ab" * 32), versions={}) as folder:
            (folder / "tool").write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ))
    assert ended.returncode == -signal.SIGKILL
    assert not ENTRY.exists()
    assert list((cache / "making").iterdir()) != []
    assert make().read_text() == "content"
    assert list((cache / "making").iterdir()) == []


@pytest.mark.parametrize("thorough", [False, True])
def test_a_longer_file_is_found(thorough: bool) -> None:
    make().write_text("content and more")
    assert "tool has changed" in (ENTRY.problem(thorough=thorough) or "")


def test_a_touched_file_is_found_by_the_quick_look() -> None:
    os.utime(make(), ns=(1, 1))
    assert "tool has changed" in (ENTRY.problem() or "")


def test_other_content_of_the_same_size_and_time_is_found_by_the_thorough_look() -> None:
    tool = make()
    before = tool.stat()
    tool.write_text("CONTENT")
    os.utime(tool, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ENTRY.problem() is None
    assert "does not have the content" in (ENTRY.problem(thorough=True) or "")
    assert [line for line in verify() if "does not have the content" in line] == verify()
    assert len(verify()) == 1


def test_a_missing_file_and_a_torn_manifest_are_found() -> None:
    make().unlink()
    assert "is missing" in (ENTRY.problem() or "")
    (ENTRY.path / "manifest.json").write_text('{"name": "to')
    assert "missing or unreadable" in (ENTRY.problem() or "")
    assert len(verify()) == 1


def test_an_entry_of_another_key_with_the_same_beginning_is_not_taken() -> None:
    make()
    twin = Entry("bin", "tool", "ab" * 31 + "cd")
    assert twin.path == ENTRY.path
    assert "another key" in (twin.problem() or "")


def test_one_holder_at_a_time() -> None:
    order: list[str] = []

    async def hold(name: str, first: asyncio.Event, go: asyncio.Event) -> None:
        async with lock("entry"):
            order.append(f"{name} in")
            first.set()
            await go.wait()
            order.append(f"{name} out")

    async def both() -> None:
        held, go = asyncio.Event(), asyncio.Event()
        one = asyncio.create_task(hold("one", held, go))
        await held.wait()
        two = asyncio.create_task(hold("two", asyncio.Event(), go))
        await asyncio.sleep(0)
        with lock_now("entry") as alone:
            assert not alone
        go.set()
        await asyncio.gather(one, two)

    asyncio.run(both())
    assert order == ["one in", "one out", "two in", "two out"]
    with lock_now("entry") as alone:
        assert alone


def test_shared_holders_keep_an_exclusive_one_out() -> None:
    async def both() -> None:
        async with lock("work", shared=True), lock("work", shared=True):
            with lock_now("work") as alone:
                assert not alone

    asyncio.run(both())
