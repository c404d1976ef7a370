"""The watch against a server that speaks its protocol over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support.api_server import CLOSE, RESET, ApiServer

from tidegate.observe.api import api_client
from tidegate.observe.backoff import Backoff
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.observe.watch import Resource, Watcher, resources
from tidegate.run import RunWriter, read_jsonl

PODS = "/api/v1/namespaces/tidegate/pods"
Scenario = Callable[[ApiServer, Watcher], Awaitable[None]]


def watched(
    folder: Path, scenario: Scenario, *, server: ApiServer | None = None, silence_s: float = 30
) -> ApiServer:
    """Run `scenario` while a watcher follows the pods of `server` into `folder`."""
    server = server or ApiServer()

    async def run() -> None:
        await server.start()
        writer = RunWriter(folder)
        async with api_client(ApiAccess(server.url, verify=False, headers={})) as client:
            watcher = Watcher(
                client, Resource("Pod", PODS), writer, backoff=Backoff(0.01, 0.05), silence_s=silence_s
            )
            task = asyncio.ensure_future(watcher.run())
            async with asyncio.timeout(20):
                await watcher.synced.wait()
                await until(lambda: server.open_streams(PODS) == 1)
                await scenario(server, watcher)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        writer.close()
        await server.stop()

    asyncio.run(run())
    return server


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - files and sockets have no events
        await asyncio.sleep(0.01)


def records(folder: Path) -> list[dict[str, Any]]:
    return [record for _, record in read_jsonl(folder / "cluster.jsonl")]


def changes(folder: Path) -> list[tuple[str, str]]:
    return [(record["type"], record["object"]["metadata"]["name"]) for record in records(folder)]


def notes(folder: Path) -> list[dict[str, Any]]:
    return [note for _, note in read_jsonl(folder / "recorder.jsonl")]


async def recorded(folder: Path, count: int) -> None:
    await until(lambda: len(records(folder)) >= count)


def test_lists_first_and_then_follows_every_change(tmp_path: Path) -> None:
    server = ApiServer()
    server.put(PODS, "a")

    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.put(
            PODS, "b", spec={"nodeName": "n1", "containers": [{"name": "web", "env": [{"name": "S"}]}]}
        )
        server.put(PODS, "b", status={"phase": "Running"})
        server.remove(PODS, "a")
        await recorded(tmp_path, 4)

    watched(tmp_path, scenario, server=server)
    assert changes(tmp_path) == [("SNAPSHOT", "a"), ("ADDED", "b"), ("MODIFIED", "b"), ("DELETED", "a")]
    added = records(tmp_path)[1]
    assert added["kind"] == "Pod"
    assert added["object"]["spec"] == {"nodeName": "n1", "containers": [{"name": "web"}]}
    assert "managedFields" not in added["object"]["metadata"]
    assert [note["level"] for note in notes(tmp_path)] == ["info"]


def test_a_list_in_pages_is_whole(tmp_path: Path) -> None:
    server = ApiServer(page=2)
    for name in "abcde":
        server.put(PODS, name)

    async def scenario(server: ApiServer, _: Watcher) -> None:
        await recorded(tmp_path, 5)

    watched(tmp_path, scenario, server=server)
    assert changes(tmp_path) == [("SNAPSHOT", name) for name in "abcde"]
    assert sum("limit=500" in target for target in server.asked) == 3


@pytest.mark.parametrize("how", [CLOSE, RESET])
def test_changes_during_a_disconnection_come_late_and_once(tmp_path: Path, how: bytes) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.put(PODS, "a")
        await recorded(tmp_path, 1)
        server.unavailable = True
        server.break_streams(how)
        await until(lambda: server.open_streams(PODS) == 0)
        server.put(PODS, "b")
        server.remove(PODS, "a")
        await until(
            lambda: any("HTTP 503" in note["what"] or "broke off" in note["what"] for note in notes(tmp_path))
        )
        server.unavailable = False
        await recorded(tmp_path, 3)

    watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a"), ("ADDED", "b"), ("DELETED", "a")]
    ended = [note for note in notes(tmp_path) if "gap_s" in note]
    assert len(ended) == 1
    assert ended[0]["gap_s"] > 0
    assert "nothing is lost" in ended[0]["what"]


def test_a_stream_that_ends_as_asked_leaves_no_note(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.break_streams(CLOSE)
        await until(lambda: sum("watch=1" in target for target in server.asked) == 2)
        await until(lambda: server.open_streams(PODS) == 1)
        server.put(PODS, "a")
        await recorded(tmp_path, 1)

    watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a")]
    assert [note["level"] for note in notes(tmp_path)] == ["info"]


@pytest.mark.parametrize("by_status", [True, False])
def test_a_forgotten_version_is_listed_anew_and_noted_as_a_gap(tmp_path: Path, by_status: bool) -> None:
    server = ApiServer(gone_status=by_status)
    server.put(PODS, "stays")
    server.put(PODS, "goes")

    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.unavailable = True
        server.break_streams(RESET)
        await until(lambda: server.open_streams(PODS) == 0)
        server.remove(PODS, "goes")
        server.put(PODS, "flash")
        server.remove(PODS, "flash")
        server.put(PODS, "new")
        server.forget()
        server.unavailable = False
        await until(lambda: server.open_streams(PODS) == 1 and len(records(tmp_path)) >= 5)
        server.put(PODS, "later")
        await recorded(tmp_path, 6)

    watched(tmp_path, scenario, server=server)
    assert changes(tmp_path)[:2] == [("SNAPSHOT", "goes"), ("SNAPSHOT", "stays")]
    assert Counter(changes(tmp_path)[2:5]) == Counter(
        [("SNAPSHOT", "new"), ("SNAPSHOT", "stays"), ("DELETED", "goes")]
    )
    assert changes(tmp_path)[5:] == [("ADDED", "later")]
    gaps = [note for note in notes(tmp_path) if "gap_s" in note]
    assert len(gaps) == 1
    assert "listed anew" in gaps[0]["what"]


def test_a_bookmark_moves_the_version_and_records_nothing(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.bookmark(PODS)
        marked = server.version
        # What came before the bookmark is forgotten: only a watcher that took it up need not list again.
        server.oldest = marked
        server.break_streams(CLOSE)
        await until(lambda: any(f"resourceVersion={marked}" in target for target in server.asked))
        await until(lambda: server.open_streams(PODS) == 1)
        server.put(PODS, "a")
        await recorded(tmp_path, 1)

    server = watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a")]
    assert sum("limit=500" in target for target in server.asked) == 1


def test_a_torn_line_is_dropped_and_its_event_comes_with_the_next_stream(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.put(PODS, "a")
        await recorded(tmp_path, 1)
        stream = server.watches[0]
        server.watches.clear()  # the next change reaches the stream in part only
        server.put(PODS, "b")
        server.watches.append(stream)
        whole = json.dumps(server.log[-1][2]).encode()
        server.send_raw(PODS, whole[: len(whole) // 2])
        server.break_streams(CLOSE)
        await recorded(tmp_path, 2)

    watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a"), ("ADDED", "b")]
    assert any("within a line" in note["what"] for note in notes(tmp_path))


def test_a_line_that_is_whole_but_unterminated_is_not_taken_twice(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        stream = server.watches[0]
        server.watches.clear()
        server.put(PODS, "a")
        server.watches.append(stream)
        server.send_raw(PODS, json.dumps(server.log[-1][2]).encode())
        server.break_streams(CLOSE)
        await recorded(tmp_path, 1)
        server.put(PODS, "b")
        await recorded(tmp_path, 2)

    watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a"), ("ADDED", "b")]


def test_events_that_come_twice_are_recorded_once(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.put(PODS, "a")
        again = server.log[-1][2]
        server.send(PODS, again)
        server.put(PODS, "a", status={"phase": "Running"})
        server.send(PODS, again | {"type": "MODIFIED", "object": server.objects[PODS]["a"]})
        server.put(PODS, "b")
        await recorded(tmp_path, 3)

    watched(tmp_path, scenario)
    assert changes(tmp_path) == [("ADDED", "a"), ("MODIFIED", "a"), ("ADDED", "b")]


def test_garbage_at_one_version_ends_in_a_new_list(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        async def spoil() -> None:
            while sum("limit=500" in target for target in server.asked) < 2:
                server.send_raw(PODS, b"{nonsense}\n")
                await asyncio.sleep(0.01)

        await spoil()
        await until(lambda: server.open_streams(PODS) == 1)
        server.put(PODS, "a")
        await recorded(tmp_path, 1)

    watched(tmp_path, scenario)
    assert changes(tmp_path)[-1] == ("ADDED", "a")
    assert any("not JSON" in note["what"] for note in notes(tmp_path))


def test_a_slow_server_loses_nothing(tmp_path: Path) -> None:
    server = ApiServer(answer_after_s=0.3)
    server.put(PODS, "a")

    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.put(PODS, "b")
        server.break_streams(RESET)
        server.put(PODS, "c")
        await recorded(tmp_path, 3)

    watched(tmp_path, scenario, server=server)
    assert changes(tmp_path) == [("SNAPSHOT", "a"), ("ADDED", "b"), ("ADDED", "c")]


def test_a_silent_stream_is_given_up_and_taken_up_again(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        mute = server.watches[0]
        server.watches.clear()  # the connection stays open and never says another word
        server.put(PODS, "a")
        await recorded(tmp_path, 1)
        mute.queue.put_nowait(CLOSE)
        server.watches.append(mute)

    watched(tmp_path, scenario, silence_s=0.3)
    assert changes(tmp_path) == [("ADDED", "a")]
    gaps = [note["gap_s"] for note in notes(tmp_path) if "gap_s" in note]
    assert gaps
    assert gaps[0] >= 0.3


def test_an_outage_that_lasts_to_the_end_is_noted(tmp_path: Path) -> None:
    async def scenario(server: ApiServer, _: Watcher) -> None:
        server.unavailable = True
        server.break_streams(RESET)
        await until(lambda: len(notes(tmp_path)) >= 2)

    watched(tmp_path, scenario)
    assert notes(tmp_path)[-1]["what"] == "watch of Pod: saw nothing to the end"
    assert notes(tmp_path)[-1]["gap_s"] >= 0


def test_verticalpodautoscalers_are_watched_only_where_there_are_any() -> None:
    usual, more = resources("shop"), resources("shop", vertical=True)
    assert "VerticalPodAutoscaler" not in {each.kind for each in usual}
    (added,) = set(more) - set(usual)
    assert added.path == "/apis/autoscaling.k8s.io/v1/namespaces/shop/verticalpodautoscalers"
