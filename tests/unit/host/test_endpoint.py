from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tidegate.host.daemon.layout import Layout
from tidegate.host.endpoint import Endpoint, endpoints

LAYOUT = Layout(root=Path("/state/engine"), run=Path("/state/engine"))
OWN = "unix:///state/engine/docker.sock"


def add_context(home: Path, name: str, host: str, *, tls: bool = False) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = home / ".docker/contexts/meta" / digest
    meta.mkdir(parents=True)
    (meta / "meta.json").write_text(json.dumps({"Name": name, "Endpoints": {"docker": {"Host": host}}}))
    if tls:
        (home / ".docker/contexts/tls" / digest / "docker").mkdir(parents=True)


def hosts(home: Path, env: dict[str, str]) -> list[str]:
    return [each.host for each in endpoints(env, home=home, layout=LAYOUT, uid=1000)]


def test_our_own_comes_before_the_usual_places(tmp_path: Path) -> None:
    assert hosts(tmp_path, {}) == [
        OWN,
        "unix:///var/run/docker.sock",
        "unix:///run/user/1000/docker.sock",
        f"unix://{tmp_path}/.docker/run/docker.sock",
        f"unix://{tmp_path}/.docker/desktop/docker.sock",
    ]
    assert "unix:///elsewhere/docker.sock" in hosts(tmp_path, {"XDG_RUNTIME_DIR": "/elsewhere"})


def test_docker_host_stands_alone(tmp_path: Path) -> None:
    found = endpoints({"DOCKER_HOST": "tcp://10.0.0.1:2375"}, home=tmp_path, layout=LAYOUT)
    assert found == [Endpoint("tcp://10.0.0.1:2375", "DOCKER_HOST", demanded=True)]


def test_docker_host_with_tls(tmp_path: Path) -> None:
    env = {"DOCKER_HOST": "tcp://10.0.0.1:2376", "DOCKER_TLS_VERIFY": "1"}
    assert endpoints(env, home=tmp_path, layout=LAYOUT)[0].tls == tmp_path / ".docker"
    env["DOCKER_CERT_PATH"] = "/certs"
    assert endpoints(env, home=tmp_path, layout=LAYOUT)[0].tls == Path("/certs")


def test_docker_host_may_be_our_own_engine_of_yesterday(tmp_path: Path) -> None:
    """A shell keeps the variable after our engine was stopped; it can then be started again."""
    found = endpoints({"DOCKER_HOST": OWN}, home=tmp_path, layout=LAYOUT)
    assert [(each.source, each.demanded) for each in found] == [("tidegate", False)]


def test_the_selected_context_is_asked_before_the_usual_places(tmp_path: Path) -> None:
    add_context(tmp_path, "desk", "unix:///desk.sock")
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "desk"}')
    assert hosts(tmp_path, {})[:3] == [OWN, "unix:///desk.sock", "unix:///var/run/docker.sock"]


def test_a_context_for_this_command_stands_alone(tmp_path: Path) -> None:
    add_context(tmp_path, "far", "tcp://10.0.0.1:2376", tls=True)
    found = endpoints({"DOCKER_CONTEXT": "far"}, home=tmp_path, layout=LAYOUT)
    assert [(each.host, each.demanded) for each in found] == [("tcp://10.0.0.1:2376", True)]
    assert found[0].tls is not None


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"currentContext": 3}', '{"currentContext": "unknown"}'])
def test_a_broken_configuration_is_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text(text)
    assert hosts(tmp_path, {})[:2] == [OWN, "unix:///var/run/docker.sock"]


def test_every_address_once(tmp_path: Path) -> None:
    add_context(tmp_path, "rootful", "unix:///var/run/docker.sock")
    (tmp_path / ".docker/config.json").write_text('{"currentContext": "rootful"}')
    found = hosts(tmp_path, {})
    assert len(found) == len(set(found))


def test_only_unix_addresses_have_a_socket() -> None:
    assert Endpoint("unix:///a/b", "x").socket == Path("/a/b")
    assert Endpoint("tcp://127.0.0.1:1", "x").socket is None
