"""An observer with a flaw is the observer, but for the flaw."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.api_server import ApiServer, serving, write_kubeconfig

from bench.mutations.recorder import blind_observer, main, shifted_observer
from tidegate.run import read_jsonl

CORE = "/api/v1/namespaces/tidegate"
PODS, EVENTS = f"{CORE}/pods", f"{CORE}/events"


def cluster(folder: Path) -> list[dict[str, Any]]:
    return [record for _, record in read_jsonl(folder / "cluster.jsonl")]


def until(holds: Callable[[], bool]) -> None:
    """Wait; the test's own time limit ends what never comes."""
    while not holds():
        time.sleep(0.02)


def born(server: ApiServer, path: str, name: str, at_s: float) -> None:
    """Put an object with the moment of its birth."""
    stamp = datetime.fromtimestamp(at_s, tz=UTC).isoformat(timespec="seconds")
    metadata = {
        "name": name,
        "uid": name,
        "resourceVersion": str(server.version + 1),
        "creationTimestamp": stamp,
    }
    server.put(path, name, metadata=metadata)


def names(folder: Path) -> list[str]:
    return [record["object"]["metadata"]["name"] for record in cluster(folder)]


def test_a_shifted_observer_receives_everything_later_than_it_was_made(tmp_path: Path) -> None:
    server = ApiServer()
    began_s = time.time()
    born(server, PODS, "web-old", began_s - 100)
    with serving(server) as loop:
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        with shifted_observer(3600)(kubeconfig, tmp_path):
            loop.call_soon_threadsafe(lambda: born(server, EVENTS, "event", time.time()))
            until(lambda: "event" in names(tmp_path))
    ended_s = time.time()
    for record in cluster(tmp_path):
        assert began_s + 3600 <= record["received_s"] <= ended_s + 3600


def test_a_blind_observer_sees_the_pods_that_were_there_and_none_that_is_born(tmp_path: Path) -> None:
    server = ApiServer()
    born(server, PODS, "web-old", time.time() - 100)
    with serving(server) as loop:
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        with blind_observer(kubeconfig, tmp_path):
            until(lambda: bool(server.open_streams(PODS)))
            loop.call_soon_threadsafe(lambda: born(server, PODS, "web-new", time.time() + 60))
            loop.call_soon_threadsafe(lambda: born(server, PODS, "web-old", time.time() - 100))
            loop.call_soon_threadsafe(lambda: born(server, EVENTS, "event", time.time() + 60))
            until(lambda: "event" in names(tmp_path) and names(tmp_path).count("web-old") > 1)
    assert "web-new" not in names(tmp_path)


def test_a_flaw_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no flaw 'deaf'"):
        main(["deaf", "--"])
