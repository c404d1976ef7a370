"""A real server process, on this machine's loopback, with an engine that is not there."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_nodes import SMALL

from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir
from tidegate.nodes.certificates import bundle
from tidegate.nodes.process import free_port, running, start, stop
from tidegate.nodes.settings import ServerSettings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerSettings]:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    made = bundle(["127.0.0.1"])
    written = ServerSettings(
        cluster="demo",
        address=f"127.0.0.1:{free_port('127.0.0.1')}",
        groups=(SMALL,),
        authority=made.authority,
        certificate=made.server.certificate,
        key=made.server.key,
    )
    written.save()
    yield written
    stop("demo")


def pid() -> int:
    return int(json.loads((cluster_dir("demo") / "nodes.pid").read_text())["pid"])


def test_it_starts_is_found_and_ends(settings: ServerSettings) -> None:
    assert not running("demo")
    start("demo")
    assert running("demo")
    first = pid()
    start("demo")  # settings may have changed: the old one is ended before
    assert pid() != first
    assert running("demo")
    stop("demo")
    stop("demo")
    assert not running("demo")
    host, _, port = settings.address.rpartition(":")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((host, int(port)), timeout=5)


@pytest.mark.usefixtures("settings")
def test_a_killed_server_is_not_running_and_can_be_started_again() -> None:
    start("demo")
    os.kill(pid(), signal.SIGKILL)
    while running("demo"):
        time.sleep(0.01)
    start("demo")
    assert running("demo")


def test_a_port_that_is_taken_is_told_with_the_servers_own_words(settings: ServerSettings) -> None:
    host, _, port = settings.address.rpartition(":")
    with socket.socket() as taken:
        taken.bind((host, int(port)))  # bound, not listening: nobody answers there
        with pytest.raises(TidegateError, match=r"nothing can listen at 127\.0\.0\.1"):
            start("demo")
    assert not running("demo")


@pytest.mark.usefixtures("settings")
def test_another_process_with_the_recorded_number_is_left_alone() -> None:
    record = cluster_dir("demo") / "nodes.pid"
    record.write_text(f'{{"pid": {os.getpid()}, "start_ticks": 1}}')
    assert not running("demo")
    stop("demo")
    assert not record.exists()


def test_an_address_of_another_machine() -> None:
    with pytest.raises(TidegateError, match="no address of this machine"):
        free_port("192.0.2.1")
