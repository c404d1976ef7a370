from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from support.children import free_port

from app import listening
from app.core.exceptions import BindError
from app.listening import bind, listen_early

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def _none_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept: dict[tuple[str, int], socket.socket] = {}
    monkeypatch.setattr(listening, "_early", kept)
    yield
    for listener in kept.values():
        listener.close()


def early(monkeypatch: pytest.MonkeyPatch, host: str, port: str) -> None:
    monkeypatch.setenv("SOME_HOST", host)
    monkeypatch.setenv("SOME_PORT", port)
    listen_early("SOME_HOST", "SOME_PORT")


def test_a_caller_is_taken_before_there_is_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    early(monkeypatch, HOST, str(port))
    with socket.create_connection((HOST, port), timeout=5), bind(HOST, port) as listener:
        accepted, _ = listener.accept()
        accepted.close()


def test_the_socket_is_handed_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    early(monkeypatch, HOST, str(port))
    with bind(HOST, port), pytest.raises(BindError, match=f"cannot listen on {HOST}:{port}: "):
        bind(HOST, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [("", "8000"), (HOST, ""), (HOST, "0"), (HOST, "none"), (HOST, "70000"), ("192.0.2.1", "8000")],
)
def test_what_cannot_be_is_left_to_the_settings(
    monkeypatch: pytest.MonkeyPatch, host: str, port: str
) -> None:
    early(monkeypatch, host, port)
    with bind(HOST, 0) as listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(listener.getsockname(), timeout=5)
