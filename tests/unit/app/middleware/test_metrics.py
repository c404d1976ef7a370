from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.core.metrics import Metrics
from app.middleware.metrics import MetricsMiddleware

Call = Callable[..., httpx.Response]


class Shop:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self.in_progress: list[float | None] = []
        self.app: ASGIApp = MetricsMiddleware(
            Starlette(
                routes=[
                    Route("/things/{id}", self.thing, methods=["GET"]),
                    Route("/broken", self.broken),
                    Route("/healthz", self.thing),
                ]
            ),
            metrics=self.metrics,
            ignored={"/healthz"},
        )

    async def thing(self, _: Request) -> Response:
        self.in_progress.append(self.value("http_requests_in_progress"))
        return PlainTextResponse("here")

    async def broken(self, _: Request) -> Response:
        raise RuntimeError("broken")

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    def requests(self, method: str, route: str, status: str) -> float | None:
        return self.value("http_requests_total", method=method, route=route, status=status)


def test_requests_are_counted_and_timed_under_their_template(call: Call) -> None:
    shop = Shop()
    for number in range(3):
        call(shop.app, path=f"/things/{number}")
    assert shop.requests("GET", "/things/{id}", "200") == 3
    assert shop.value("http_request_duration_seconds_count", method="GET", route="/things/{id}") == 3
    assert shop.in_progress == [1, 1, 1]
    assert shop.value("http_requests_in_progress") == 0


def test_invented_paths_and_methods_make_no_new_series(call: Call) -> None:
    shop = Shop()
    for number in range(20):
        call(shop.app, path=f"/invented/{number}")
        call(shop.app, method=f"M{number}", path="/invented")
    assert shop.requests("GET", "unmatched", "404") == 20
    assert shop.requests("OTHER", "unmatched", "404") == 20


def test_an_exception_counts_as_500_and_is_not_swallowed(call: Call) -> None:
    shop = Shop()
    with pytest.raises(RuntimeError, match="broken"):
        call(shop.app, path="/broken")
    assert shop.requests("GET", "/broken", "500") == 1
    assert shop.value("http_requests_in_progress") == 0


def test_probes_are_not_counted(call: Call) -> None:
    shop = Shop()
    call(shop.app, path="/healthz")
    assert shop.in_progress == [0]
    assert b"healthz" not in shop.metrics.render()
