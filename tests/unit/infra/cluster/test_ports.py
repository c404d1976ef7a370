from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from infra.cluster.config import KindSpec, intent
from infra.cluster.ports import published, require_free
from tidegate.errors import TidegateError

SPEC = KindSpec(name="demo", node_image="n", workers=1, gateway_port=8080, cni_template_path="/x")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_all_ports_of_a_configuration_are_found() -> None:
    assert published(intent(SPEC)) == [8080]
    assert published(intent(replace(SPEC, api_port=6550))) == [8080, 6550]
    assert published("kind: Cluster") == []


def test_a_taken_port_is_told_with_its_holder(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with pytest.raises(TidegateError, match=f"127.0.0.1:{taken} is taken by .*, pid .*another port"):
        require_free(intent(replace(SPEC, gateway_port=taken)))


def test_the_ports_of_another_machine_are_not_tried_here(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://builder")
    require_free(intent(replace(SPEC, gateway_port=taken)))
