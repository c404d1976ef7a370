"""The HTTP client of a paced user: one host, one connection, nothing that a planned request does not need.

No redirects, no cookies, no second attempts. A host is taken apart once, and what all requests to it have in
common is written once. Locust's own client does this for each request, at several times the CPU; a generator
short of CPU measures itself.
"""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from urllib.parse import unquote

import gevent
from geventhttpclient.connectionpool import ConnectionPool, SSLConnectionPool
from geventhttpclient.url import URL

from tidegate.load.answer import FAILURES, Answer, Message
from tidegate.load.connection import Connection

JSON = "application/json"
_MOST_CONNECTIONS = 1_000_000
_plain_target = re.compile(r"/[A-Za-z0-9\-._~/?=&+,:@!$'()*;]*").fullmatch
_plain_value = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


class Origin:
    """Where requests go. Shared by all users of the process; make one with `origin`."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        url = URL(base_url)
        secure, port = url.scheme == "https", url.port or 80
        self.base_url = base_url.rstrip("/")
        self._path = url.path.rstrip("/")
        pool = SSLConnectionPool if secure else ConnectionPool
        self.opener = pool(
            url.host,
            port,
            url.host,
            port,
            size=_MOST_CONNECTIONS,
            connection_timeout=timeout_s,
            network_timeout=timeout_s,
        )
        name = f"[{url.host}]" if ":" in url.host else url.host
        self._common = (
            f"Host: {name if port in (80, 443) else f'{name}:{port}'}\r\n"
            "User-Agent: tidegate-load\r\nAccept-Encoding: gzip, deflate, br\r\n"
        )
        self.credentials: str | None = None
        """Value of `Authorization` that stands in the address; None if none does."""
        if url.username and url.password:
            pair = f"{unquote(url.username)}:{unquote(url.password)}"
            self.credentials = "Basic " + b64encode(pair.encode("latin-1")).decode("ascii")
            self.base_url = self.base_url.replace(url.netloc, url.netloc.rpartition("@")[2], 1)

    def request(self, method: str, path: str, authorization: str | None, body: bytes, kind: str) -> bytes:
        """Return a request as it is sent; `kind` is the media type of `body`.

        Raises:
            ValueError: method, path or authorization cannot stand in a request.
        """
        target = self._path + path
        if not _plain_target(target):
            target = URL(self.base_url + path).quoted_uri
        lines = f"{method} {target} HTTP/1.1\r\n{self._common}"
        if authorization is not None:
            lines += _line("Authorization", authorization)
        if body:
            lines += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            if kind == JSON:
                lines += f"Accept: {JSON}\r\n"
        elif method in _BODY_METHODS:
            lines += "Content-Length: 0\r\n"  # RFC 9110, section 8.6
        return f"{lines}\r\n".encode("latin-1") + body


@lru_cache(maxsize=8)
def origin(base_url: str, timeout_s: float) -> Origin:
    """Return where requests to `base_url` go; time-outs to connect are `timeout_s`."""
    return Origin(base_url, timeout_s)


@lru_cache(maxsize=4096)
def _line(name: str, value: str) -> str:
    if not _plain_value(value):
        raise ValueError(f"invalid value for header field {name!r}")
    return f"{name}: {value}\r\n"


class Client:
    """Sends one request at a time to one host.

    Args:
        base_url: address of the host, such as `http://127.0.0.1:8080`; paths are added to it.
        timeout_s: bound of a whole request.
    """

    def __init__(self, base_url: str, timeout_s: float) -> None:
        self._origin = origin(base_url, timeout_s)
        self._connection = Connection(self._origin.opener, timeout_s)

    def url(self, path: str) -> str:
        """Return the whole address of `path`."""
        return self._origin.base_url + path

    def exchange(
        self, method: str, path: str, *, token: str | None = None, body: bytes = b"", kind: str = ""
    ) -> Answer:
        """Send a request and return its answer, or the answer that stands for the failure.

        Args:
            method: HTTP method in capitals.
            path: path and query.
            token: a bearer token.
            body: what is sent; nothing when empty.
            kind: the body's media type. With `JSON` an answer of that type is asked for.

        Raises:
            ValueError: something cannot stand in a request; nothing was sent.
            GreenletExit: the user was killed meanwhile; the service may have the request.
        """
        where = self._origin
        authorization = where.credentials if token is None else f"Bearer {token}"
        request = where.request(method, path, authorization, body, kind)
        message, failure = Message(method == "HEAD"), None
        try:
            self._connection.exchange(request, message)
        except (*FAILURES, gevent.Timeout) as error:
            failure = error
        return Answer(where.base_url + path, message, failure)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._connection.close()
