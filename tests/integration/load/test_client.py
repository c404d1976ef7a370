"""The client of planned requests against a real socket, and beside the client that Locust has."""

from __future__ import annotations

import gzip
import socket
import ssl
import time
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import gevent
import pytest
from geventhttpclient.connectionpool import SSLConnectionPool
from support.locust_client import by_locust, facts
from support.scripted_server import ScriptedServer, Step, hang_up, reset

from tidegate.load.answer import Answer
from tidegate.load.client import JSON, Client, origin
from tidegate.load.recorder import error_text
from tidegate.nodes.certificates import bundle

TIMEOUT_S = 60.0
NAMED = b"X-Served-By: web-1\r\nX-Request-Id: r-1\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + NAMED + b"\r\nok"
PACKED = gzip.compress(b'{"id": 7}')


def with_body(body: bytes, *fields: bytes) -> bytes:
    lines = b"".join(field + b"\r\n" for field in (*fields, b"Content-Length: %d" % len(body)))
    return b"HTTP/1.1 200 OK\r\n" + lines + NAMED + b"\r\n" + body


ANSWERS: dict[str, tuple[Step, ...]] = {
    "plain": (OK,),
    "small letters": (OK.replace(b"X-Served-By", b"x-served-by"),),
    "byte by byte": tuple(bytes([byte]) for byte in OK),
    "in the middle of a name": (OK[:60], 0.05, OK[60:]),
    "chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"2\r\nok\r\n4\r\n too\r\n0\r\nX-Late: 1\r\n\r\n",
    ),
    "until it closes": (b"HTTP/1.0 200 OK\r\n" + NAMED + b"\r\nok", hang_up),
    "and closes": (OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), hang_up),
    "no content": (b"HTTP/1.1 204 No Content\r\n" + NAMED + b"\r\n",),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",),
    "elsewhere": (b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",),
    "interim": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", 0.05, OK),
    "interim at once": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK,),
    "no value": (b"HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n",),
    "twice": (b"HTTP/1.1 200 OK\r\nX-Served-By: a\r\nX-Served-By: b\r\nContent-Length: 0\r\n\r\n",),
    "gzip": (with_body(PACKED, b"Content-Encoding: gzip"),),
    "deflate": (with_body(zlib.compress(b"ok"), b"Content-Encoding: deflate"),),
    "utf-8": (with_body("grün".encode(), b"Content-Type: text/plain; charset=utf-8"),),
    "large": (with_body(bytes(range(256)) * 4096),),
    "not found": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n" + NAMED + b"\r\nno",),
    "away": (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n" + NAMED + b"\r\nno",),
    "unusual": (b"HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n",),
    "broken gzip": (with_body(b"not packed", b"Content-Encoding: gzip"),),
    "no HTTP": (b"220 mail.example.org ready\r\n\r\n",),
    "no length": (b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nok",),
    "a broken chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0.1, b"1\r\nok\r\n"),
    "closes": (hang_up,),
    "resets": (reset,),
    "closes in the head": (OK[:30], 0.1, hang_up),
    "closes in the body": (OK[:-1], 0.1, hang_up),
    "closes in a packed body": (with_body(PACKED, b"Content-Encoding: gzip")[:-5], 0.1, hang_up),
    "closes in a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", 0.1, hang_up),
    "closes after an interim answer": (b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.1, hang_up),
    "resets in the head": (OK[:30], 0.1, reset),
    "resets in the body": (OK[:-1], 0.1, reset),
}


def once(
    url: str,
    method: str,
    path: str = "/",
    *,
    token: str | None = None,
    body: bytes = b"",
    timeout_s: float = TIMEOUT_S,
) -> Answer:
    client = Client(url, timeout_s)
    try:
        return client.exchange(method, path, token=token, body=body, kind="x/y")
    finally:
        client.close()


def by_us(method: str, url: str, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    answer = once(url, method, timeout_s=timeout_s)
    return facts(answer, answer.error)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("name", list(ANSWERS))
def test_every_answer_is_what_locusts_client_makes_of_it(name: str, method: str) -> None:
    with ScriptedServer(*ANSWERS[name]) as server:
        ours = by_us(method, server.url)
        assert len(server.requests) == 1  # tried once, whatever came of it
        theirs = by_locust(method, server.url, TIMEOUT_S)
    assert ours == theirs


@pytest.mark.parametrize(
    "answer",
    [
        OK[:-2],  # the length that a GET would have
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_an_answer_to_head_ends_with_its_head(answer: bytes) -> None:
    with ScriptedServer(answer) as server:
        ours = by_us("HEAD", server.url)
        theirs = by_locust("HEAD", server.url, TIMEOUT_S)
    assert ours == theirs
    assert (ours["status"], ours["error"], ours["content"]) == (200, None, b"")


def test_a_body_that_head_must_not_have_is_not_the_next_answer() -> None:
    with ScriptedServer(OK) as server:
        client = Client(server.url, TIMEOUT_S)
        answers = [client.exchange("HEAD", "/") for _ in range(2)]
        client.close()
    assert [(each.status_code, each.error, each.content) for each in answers] == [(200, None, b"")] * 2
    assert {each.field("X-Served-By") for each in answers} == {"web-1"}


@pytest.mark.parametrize("steps", [(2.0,), (OK[:-1], 2.0)], ids=["silent", "in the body"])
def test_what_takes_too_long_is_a_timeout(steps: tuple[Step, ...]) -> None:
    with ScriptedServer(*steps) as server:
        ours = by_us("GET", server.url, timeout_s=0.3)
        theirs = by_locust("GET", server.url, timeout_s=0.3)
    assert ours["error"] == theirs["error"] == "timeout"


def test_a_trickle_cannot_hold_a_request_for_ever() -> None:
    trickle = [step for number in range(200) for step in (b"X-%d: x\r\n" % number, 0.05)]
    with ScriptedServer(b"HTTP/1.1 200 OK\r\n", *trickle) as server:
        began_s = time.monotonic()
        answer = once(server.url, "GET", timeout_s=0.5)
        lasted_s = time.monotonic() - began_s
    assert error_text(answer.error, answer.status_code) == "timeout"
    assert answer.status_code == 0
    assert 0.5 <= lasted_s < 200 * 0.05  # not before its time, and not when the trickle ended


def test_the_bound_holds_for_each_request_and_not_for_the_connection() -> None:
    with ScriptedServer(0.3, OK) as server:
        client = Client(server.url, 60.0)
        client._connection._timeout_s = 0.5  # pyright: ignore[reportPrivateUsage]
        answers = [client.exchange("GET", "/") for _ in range(4)]
        client.close()
    assert [(answer.status_code, answer.error) for answer in answers] == [(200, None)] * 4
    assert server.connections == 1


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ours = by_us("GET", url)
    assert ours == by_locust("GET", url, TIMEOUT_S)
    assert ours["error"] == "ConnectionRefusedError: [Errno 111] Connection refused"


def test_a_name_that_does_not_resolve_is_a_failure() -> None:
    ours = by_us("GET", "http://nowhere.invalid")
    assert ours == by_locust("GET", "http://nowhere.invalid", TIMEOUT_S)
    assert str(ours["error"]).startswith("gaierror")


def test_an_unknown_encoding_is_a_failure_and_not_a_broken_task() -> None:
    with ScriptedServer(with_body(b"ok", b"Content-Encoding: rot13")) as server:
        answer = once(server.url, "GET")
    assert error_text(answer.error, answer.status_code) == "ValueError: Unknown content encoding: rot13"


def test_a_connection_carries_one_request_after_the_other() -> None:
    with ScriptedServer(OK) as server:
        client = Client(server.url, TIMEOUT_S)
        assert [client.exchange("GET", "/").content for _ in range(5)] == [b"ok"] * 5
        client.close()
    assert (server.connections, len(server.requests)) == (1, 5)


@pytest.mark.parametrize("yields", [True, False], ids=["the loop has seen it", "the loop has not"])
def test_a_connection_that_was_closed_while_it_lay_idle_is_replaced(yields: bool) -> None:
    with ScriptedServer(OK, hang_up) as server:
        client = Client(server.url, TIMEOUT_S)
        answers: list[Answer] = []
        for _ in range(3):
            answers.append(client.exchange("GET", "/"))
            (gevent.sleep if yields else time.sleep)(0.1)
        client.close()
    assert [answer.error for answer in answers] == [None] * 3
    assert (server.connections, len(server.requests)) == (3, 3)


def test_what_nobody_asked_for_ends_the_connection() -> None:
    with ScriptedServer(OK + OK) as server:
        client = Client(server.url, TIMEOUT_S)
        answers = [client.exchange("GET", "/") for _ in range(2)]
        client.close()
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"ok")] * 2
    assert server.connections == 2


def test_after_a_failure_the_next_request_has_a_connection_of_its_own() -> None:
    with ScriptedServer(0.5, OK) as server:
        client = Client(server.url, 0.2)
        first = client.exchange("GET", "/")
        client._connection._timeout_s = TIMEOUT_S  # pyright: ignore[reportPrivateUsage]
        # The first one's answer comes meanwhile; it must not be taken for the second's.
        second = client.exchange("GET", "/second")
        client.close()
    assert error_text(first.error, 0) == "timeout"
    assert (second.status_code, second.error) == (200, None)
    assert server.connections == 2


def test_a_user_that_is_killed_leaves_no_answer_behind() -> None:
    with ScriptedServer(0.3, OK) as server:
        client = Client(server.url, TIMEOUT_S)
        with gevent.Timeout(0.1, gevent.GreenletExit("killed")), pytest.raises(gevent.GreenletExit):
            client.exchange("GET", "/")
        assert client.exchange("GET", "/").status_code == 200
        client.close()
    assert server.connections == 2


def slow_reader(connection: socket.socket) -> None:
    while connection.recv(65_536):
        time.sleep(0.0005)


def test_a_body_larger_than_the_system_holds_arrives_whole() -> None:
    body = bytes(range(256)) * 65_536
    with ScriptedServer(OK) as server:
        client = Client(server.url, TIMEOUT_S)
        answer = client.exchange("POST", "/", body=body, kind="application/octet-stream")
        assert (answer.status_code, answer.error) == (200, None)
        assert client.exchange("GET", "/").content == b"ok"
        client.close()
    assert server.requests[0].partition(b"\r\n\r\n")[2] == body
    assert server.connections == 1


def test_a_body_that_nobody_takes_is_a_timeout() -> None:
    with ScriptedServer(5.0, greedy=False) as server:
        answer = once(server.url, "POST", body=bytes(64 << 20), timeout_s=0.5)
    assert error_text(answer.error, answer.status_code) == "timeout"


def test_a_refusal_that_comes_before_the_body_is_sent_is_the_answer() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def close_later(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        slow_reader(connection)
        connection.close()

    with ScriptedServer(refusal, close_later, greedy=False) as server:
        answer = once(server.url, "POST", body=bytes(8 << 20))
    assert (answer.status_code, error_text(answer.error, answer.status_code)) == (413, "HTTP 413")


def test_the_requests_are_well_formed() -> None:
    with ScriptedServer(OK) as server:
        base = server.url.replace("http://", "http://us%65r:pass%3Aword@") + "/base/"
        client = Client(base, TIMEOUT_S)
        client.exchange("GET", "/a?b=c d&e=ü#f")
        client.exchange("POST", "/a", token="a-token", body=b"{}", kind=JSON)
        client.exchange("POST", "/a")
        client.close()
    get, post, empty = (request.decode("latin-1") for request in server.requests)
    assert get == (
        f"GET /base/a?b=c%20d&e=%C3%BC HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        "User-Agent: tidegate-load\r\nAccept-Encoding: gzip, deflate, br\r\n"
        "Authorization: Basic dXNlcjpwYXNzOndvcmQ=\r\n\r\n"
    )
    assert post.startswith("POST /base/a HTTP/1.1\r\n")
    assert (
        "\r\nAuthorization: Bearer a-token\r\nContent-Type: application/json\r\nContent-Length: 2\r\n" in post
    )
    assert post.endswith("\r\nAccept: application/json\r\n\r\n{}")
    assert empty.endswith("\r\nContent-Length: 0\r\n\r\n")
    assert client.url("/a") == f"http://127.0.0.1:{server.port}/base/a"


@pytest.mark.parametrize("token", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "ä€"])
def test_a_token_cannot_add_to_the_head(token: str) -> None:
    with ScriptedServer(OK) as server:
        with pytest.raises(ValueError, match="invalid value for header field 'Authorization'"):
            once(server.url, "GET", token=token)
        # A path is quoted instead.
        once(server.url, "GET", path="/a\r\nX-Evil: 1")
    (request,) = server.requests
    assert b"X-Evil" not in request.partition(b"\r\n")[2]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://example.org", "example.org"),
        ("https://example.org:443", "example.org"),
        ("http://example.org:8080", "example.org:8080"),
        ("http://[::1]:8080", "[::1]:8080"),
    ],
)
def test_the_host_is_named_as_the_standard_wants(url: str, host: str) -> None:
    request = origin(url, TIMEOUT_S).request("GET", "/", None, b"", "")
    assert request.startswith(f"GET / HTTP/1.1\r\nHost: {host}\r\n".encode())


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ssl.SSLContext]:
    """A server's side, whose authority this process trusts."""
    made = bundle(["127.0.0.1"])
    for name, text in (("ca", made.authority), ("cert", made.server.certificate), ("key", made.server.key)):
        (tmp_path / name).write_text(text)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    trusted = {**SSLConnectionPool.default_options, "ca_certs": str(tmp_path / "ca")}
    monkeypatch.setattr(SSLConnectionPool, "default_options", trusted)
    yield context
    origin.cache_clear()


def test_a_secure_host_is_served_the_same(tls: ssl.SSLContext) -> None:
    large = with_body(bytes(range(256)) * 4096)
    for answer in (OK, large):
        with ScriptedServer(answer, tls=tls) as server:
            client = Client(server.url, TIMEOUT_S)
            body = bytes(3 << 20)
            answers = [client.exchange("POST", "/", body=body, kind="x/y") for _ in range(3)]
            client.close()
        assert [(each.status_code, each.error) for each in answers] == [(200, None)] * 3
        assert {each.content for each in answers} == {answer.partition(b"\r\n\r\n")[2]}
        assert [len(request.partition(b"\r\n\r\n")[2]) for request in server.requests] == [len(body)] * 3
        assert server.connections == 1


@pytest.mark.parametrize("name", ["byte by byte", "closes", "closes in the body", "away", "until it closes"])
def test_a_secure_host_fails_the_same(name: str, tls: ssl.SSLContext) -> None:
    with ScriptedServer(*ANSWERS[name], tls=tls) as server:
        assert by_us("GET", server.url) == by_locust("GET", server.url, TIMEOUT_S)


def test_a_certificate_of_a_stranger_is_a_failure(
    tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = bundle(["127.0.0.1"]).authority
    Path(SSLConnectionPool.default_options["ca_certs"]).write_text(stranger)
    with ScriptedServer(OK, tls=tls) as server:
        ours = by_us("GET", server.url)
        theirs = by_locust("GET", server.url, TIMEOUT_S)
    assert ours == theirs
    assert str(ours["error"]).startswith("SSLCertVerificationError")
    assert server.requests == []
