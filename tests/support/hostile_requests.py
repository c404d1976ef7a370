"""Requests nobody should send, drawn from a seed, each with the answers that are right for it."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from support.login import KEYS

from app.core.keys import parse_keys
from app.core.tokens import TokenService

REFUSED = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 431})
ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}


@dataclass(frozen=True)
class Hostile:
    """One request as bytes."""

    kind: str
    data: bytes
    right: frozenset[int]
    """Statuses of which the answer must have one."""
    silent: bool = False
    """Whether a connection that ends without an answer is right too: what came may not be HTTP at all, or
    the caller was still sending when it was refused."""


def request(
    method: str,
    path: str,
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
    *,
    chunked: bool = False,
) -> bytes:
    """The bytes of a request; latin-1 is what a header may carry."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    pairs = [("Host", "service"), ("Connection", "close"), *pairs]
    if body is not None:
        pairs.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body))))
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs)
    if body is not None and chunked:
        pieces = [body[at : at + 4096] for at in range(0, len(body), 4096)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return head.encode("latin-1") + b"\r\n" + (body or b"")


class HostileRequests:
    """Draws requests.

    Args:
        token: a good one, of the account that attacks.
        foreign_orders: ids of orders of another account.
    """

    def __init__(self, seed: int, *, token: Mapping[str, str], foreign_orders: Sequence[str]) -> None:
        self._draw = random.Random(seed)
        self._token = dict(token)
        self._foreign = foreign_orders
        others = parse_keys("test:another-key-under-the-same-name-of-enough-length")
        self._forged = [
            TokenService(others, ttl_s=3600).issue("acct-0001"),
            TokenService(parse_keys(KEYS), ttl_s=-3600).issue("acct-0001"),
        ]
        plain = json.dumps(ORDER)
        self._encoded = [
            (gzip.compress(plain.encode()), "gzip"),
            (gzip.compress(b"x" * 10_000_000), "gzip"),
            (plain.encode("utf-16"), "identity"),
            (plain.encode("utf-32-be"), "identity"),
            (plain.encode("utf-8-sig"), "utf-9"),
            (plain.encode() + b"\xff\xfe", "br"),
        ]
        self._kinds: list[Callable[[], Hostile]] = [
            self._bad_token,
            self._foreign_order,
            self._bad_order_id,
            self._large_body,
            self._no_json,
            self._mutated_order,
            self._encoded_order,
            self._strange_headers,
            self._strange_query,
            self._wrong_method,
            self._mutated_bytes,
        ]

    def next(self) -> Hostile:
        """The next one."""
        return self._draw.choice(self._kinds)()

    def _json_headers(self) -> dict[str, str]:
        return self._token | {"Content-Type": "application/json"}

    def _version(self) -> str:
        return self._draw.choice(["v1", "v2"])

    def _bytes(self, most: int) -> bytes:
        return self._draw.randbytes(self._draw.randint(1, most))

    def _text(self, most: int, alphabet: str = string.printable.strip()) -> str:
        return "".join(self._draw.choices(alphabet, k=self._draw.randint(1, most)))

    def _bad_token(self) -> Hostile:
        good = self._token["Authorization"].removeprefix("Bearer ")
        head, claims, signature = good.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        at = self._draw.randrange(len(claims) - 2)
        other = "A" if claims[at] != "A" else "B"
        token = self._draw.choice(
            [
                f"{none}.{claims}.",
                f"{head}.{claims}.",
                f"{head}.{claims[:at]}{other}{claims[at + 1 :]}.{signature}",
                f"{head}.{claims}.{signature[:-6]}",
                *self._forged,
                self._text(200, string.ascii_letters + string.digits + "._-"),
                "",
            ]
        )
        scheme = self._draw.choice(["Bearer", "bearer", "Basic", "Digest"])
        path = self._draw.choice(["/api/v2/orders", f"/api/v1/orders/{uuid.UUID(int=1)}"])
        data = request("GET", path, {"Authorization": f"{scheme} {token}"})
        return Hostile("bad token", data, frozenset({401}))

    def _foreign_order(self) -> Hostile:
        order_id = self._draw.choice([*self._foreign, str(uuid.UUID(int=self._draw.getrandbits(128)))])
        prefix = self._draw.choice(["/api/v1/orders", "/api/v2/orders", "/api/v2/streams/orders"])
        return Hostile("foreign order", request("GET", f"{prefix}/{order_id}", self._token), frozenset({404}))

    def _bad_order_id(self) -> Hostile:
        safe = string.ascii_letters + string.digits + "-_.~%:@$&'()*+,;="
        path = f"/api/{self._version()}/orders/{self._text(80, safe)}"
        return Hostile("bad order id", request("GET", path, self._token), frozenset({400, 404, 422}))

    def _large_body(self) -> Hostile:
        size = self._draw.choice([65_537, 100_000, 1_000_000])
        data = request(
            "POST",
            f"/api/{self._version()}/orders",
            self._json_headers(),
            b'{"lines": "' + b"x" * size,
            chunked=self._draw.random() < 0.5,
        )
        return Hostile("large body", data, frozenset({413}), silent=True)

    def _no_json(self) -> Hostile:
        body = self._draw.choice([self._bytes(2000), b"[" * self._draw.randint(1, 60_000), b"", b"null"])
        data = request("POST", f"/api/{self._version()}/orders", self._json_headers(), body)
        return Hostile("no JSON", data, frozenset({400, 422}))

    def _mutated_order(self) -> Hostile:
        values: list[object] = [None, -1, 0, 1e308, 2**63, "1", [], {}, True, "\x00", "\ud800", ORDER, 0.5]
        order = json.loads(json.dumps(ORDER))
        value = self._draw.choice(values)
        place = self._draw.choice(["lines", "product_id", "quantity", "account_id", self._text(30)])
        (order if place in ("lines", "account_id") or place not in order["lines"][0] else order["lines"][0])[
            place
        ] = value
        data = request(
            "POST",
            f"/api/{self._version()}/orders",
            self._json_headers(),
            json.dumps(order).encode(),
            chunked=self._draw.random() < 0.3,
        )
        # What is changed may be nothing an order needs, so that it is a good one after all.
        return Hostile("mutated order", data, frozenset({201, 202, 400, 403, 422}))

    def _encoded_order(self) -> Hostile:
        body, encoding = self._draw.choice(self._encoded)
        headers = self._json_headers() | {"Content-Encoding": encoding}
        headers["Content-Type"] = self._draw.choice(
            ["application/json; charset=utf-7", "application/json", "text/plain", "application/x-gzip", "*/*"]
        )
        data = request("POST", f"/api/{self._version()}/orders", headers, body)
        # JSON in UTF-16 or -32 is told from its first bytes, and read.
        return Hostile("encoded order", data, frozenset({201, 202, 400, 415, 422}))

    def _strange_headers(self) -> Hostile:
        token_characters = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
        printable = "".join(map(chr, range(0x20, 0x7F))) + "".join(map(chr, range(0xA0, 0x100)))
        names = ["X-Forwarded-For", "X-Request-Id", "traceparent", "If-None-Match", "Accept", "Cookie"]
        names += ["Accept-Encoding", "Forwarded", "Origin", "Range", "Last-Event-ID", "If-Modified-Since"]
        pairs = [
            (
                self._draw.choice([*names, self._text(40, token_characters)]),
                self._text(300, printable).strip(),
            )
            for _ in range(self._draw.randint(1, 40))
        ]
        # These would change what the request is, which other kinds do.
        pairs = [pair for pair in pairs if pair[0].lower() not in {"content-length", "transfer-encoding"}]
        path = self._draw.choice(["/api/v2/products?limit=3", "/api/v1/products/1", "/healthz"])
        return Hostile("strange headers", request("GET", path, pairs), frozenset({200, 304, 400, 431}))

    def _strange_query(self) -> Hostile:
        safe = string.ascii_letters + string.digits + "-_.~%+"
        names = ["limit", "cursor", "q", "sort", "category", "min_price_cents", self._text(20, safe)]
        query = "&".join(
            f"{self._draw.choice(names)}={self._text(60, safe)}" for _ in range(self._draw.randint(1, 8))
        )
        path = self._draw.choice(["/api/v1/products", "/api/v2/products", "/api/v2/orders"])
        return Hostile(
            "strange query", request("GET", f"{path}?{query}", self._token), frozenset({200, 400, 422})
        )

    def _wrong_method(self) -> Hostile:
        method = self._draw.choice(["DELETE", "PUT", "TRACE", "OPTIONS", "PROPFIND", "MKCOL"])
        data = request(method, f"/api/{self._version()}/orders", self._token)
        return Hostile("wrong method", data, frozenset({405}))

    def _mutated_bytes(self) -> Hostile:
        body = json.dumps(ORDER).encode()
        data = bytearray(request("POST", "/api/v2/orders", self._json_headers(), body))
        for _ in range(self._draw.randint(1, 6)):
            at = self._draw.randrange(len(data))
            change = self._draw.randrange(3)
            if change == 0:
                data[at] = self._draw.randrange(256)
            elif change == 1:
                del data[at]
            else:
                data[at:at] = self._bytes(8)
        return Hostile("mutated bytes", bytes(data), REFUSED | {200, 202, 307}, silent=True)
