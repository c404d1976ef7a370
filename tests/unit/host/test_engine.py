"""Looking for an engine where there is none, or something else listens. The real one is in integration."""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host.endpoint import Endpoint
from tidegate.host.engine import Engine, EngineSettings, find_engine, probe, start_engine, stop_engine
from tidegate.host.engine_api import EngineApi, EngineInfo, EngineVersion, socket_peer


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield path


class Teapot(BaseHTTPRequestHandler):
    """A web server that is no engine: it says OK to everything."""

    def do_GET(self) -> None:
        body = b'{"I am": "a teapot"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        del format, args


@pytest.fixture
def teapot() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Teapot) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"tcp://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_says_why_nothing_answers(tmp_path: Path, listener: Path) -> None:
    assert probe(Endpoint(f"unix://{tmp_path}/absent", "x")).reason == "no such socket"
    stale = tmp_path / "stale"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(stale))
    assert probe(Endpoint(f"unix://{stale}", "x")).reason == "nobody listens"
    assert (
        probe(Endpoint(f"unix://{listener}", "x"), timeout_s=0.1).reason
        == "the container engine does not answer"
    )


@pytest.fixture
def as_nobody() -> Iterator[None]:
    """Root may talk to every socket, so root steps down for the test."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_socket_of_others_is_told_apart(as_nobody: None) -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/s")
        server.listen()
        Path(folder, "s").chmod(0)
        assert probe(Endpoint(f"unix://{folder}/s", "x")).forbidden


def test_what_is_no_engine_is_not_taken_for_one(teapot: str) -> None:
    assert probe(Endpoint(teapot, "x")).reason == "what answers is no container engine"


def test_an_engine_far_away_cannot_be_used() -> None:
    with pytest.raises(TidegateError, match="ports must be on this machine"):
        EngineApi(Endpoint("ssh://host", "DOCKER_HOST"))
    assert probe(Endpoint("ssh://host", "DOCKER_HOST")).engine is None


def test_a_demanded_engine_is_not_replaced_by_another(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": f"unix://{tmp_path}/absent"}
    with pytest.raises(TidegateError, match="DOCKER_HOST names does not answer: no such socket"):
        find_engine(tmp_path, env=env)


def test_our_own_that_does_not_run_is_none(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/engine/docker.sock"
    assert find_engine(tmp_path, env={"DOCKER_HOST": host}) is None


def test_the_listeners_process_is_known(listener: Path) -> None:
    assert socket_peer(listener) == os.getpid()


def engine(tls: Path | None = None) -> Engine:
    return Engine(Endpoint("unix:///s", "x", tls=tls), EngineVersion.model_validate({"Version": "28.0.0"}))


def test_children_get_the_address_and_no_foreign_tls() -> None:
    assert engine().env() == {"DOCKER_HOST": "unix:///s", "DOCKER_TLS_VERIFY": ""}
    assert engine(Path("/certs")).env() == {
        "DOCKER_HOST": "unix:///s",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/certs",
    }


def test_reads_what_engines_say_of_themselves() -> None:
    options = '["name=seccomp,profile=default", "name=rootless"]'
    told = f'{{"Driver": "overlay2", "DockerRootDir": "/d", "SecurityOptions": {options}, "Unknown": 1}}'
    info = EngineInfo.model_validate_json(told)
    assert (info.driver, info.data_root, info.rootless, info.cgroup_version) == ("overlay2", "/d", True, "1")
    assert not EngineInfo.model_validate_json('{"SecurityOptions": null}').rootless


def test_stopping_where_nothing_was_started_does_nothing(tmp_path: Path) -> None:
    stopped = stop_engine(state=tmp_path, remove_data=True)
    assert not stopped.was_running
    assert not stopped.data_removed
    assert list(tmp_path.iterdir()) == []


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() != 0:
        with pytest.raises(TidegateError, match="only root"):
            start_engine(state=tmp_path)
        return
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tidegate.host.daemon.start.SEARCH_PATH", str(tmp_path))
    with pytest.raises(TidegateError, match="dockerd, containerd, runc, ip, iptables is not installed"):
        start_engine(EngineSettings(), state=tmp_path / "state")
    assert not (tmp_path / "state").exists()
