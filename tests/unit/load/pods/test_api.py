"""What is asked of the API server, and what is made of its answers."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tidegate.errors import TidegateError
from tidegate.load.pods.api import AwayError, LoadApi, SilentError
from tidegate.observe.kubeconfig import ApiAccess


def api(answer: httpx.Response | Exception) -> LoadApi:
    def give(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    access = ApiAccess("http://127.0.0.1:1", verify=False, headers={"Authorization": "Bearer t"})
    return LoadApi(access, httpx.MockTransport(give))


def services(*addresses: str, ports: list[dict[str, Any]] | None = None) -> httpx.Response:
    plain = [{"name": "http-80", "port": 8000}]
    specs = [{"clusterIP": each, "ports": plain if ports is None else ports} for each in addresses]
    return httpx.Response(200, json={"items": [{"spec": spec} for spec in specs]})


def test_the_gateway_is_an_address_and_its_port() -> None:
    assert api(services("10.0.0.7")).gateway() == ("http://10.0.0.7:8000", "10.0.0.7")
    assert api(services("fd00::7")).gateway() == ("http://[fd00::7]:8000", "fd00::7")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (services(), "the gateway has 0 Services"),
        (services("10.0.0.7", "10.0.0.8"), "the gateway has 2 Services"),
        (services("10.0.0.7", ports=[{"name": "https-443", "port": 443}]), "takes no plain HTTP"),
        (services(""), "takes no plain HTTP"),
    ],
)
def test_a_gateway_that_cannot_be_loaded_is_told(answer: httpx.Response, said: str) -> None:
    with pytest.raises(TidegateError, match=said):
        api(answer).gateway()


def test_an_api_server_that_is_away_is_another_thing_than_one_that_refuses() -> None:
    for away in (httpx.ConnectError("refused"), httpx.ReadTimeout("slow"), httpx.Response(503, json={})):
        with pytest.raises(AwayError):
            api(away).pods("load-1")
    with pytest.raises(TidegateError, match="exceeded quota") as caught:
        api(httpx.Response(403, json={"message": "exceeded quota: generators"})).make_job({})
    assert not isinstance(caught.value, AwayError)
    with pytest.raises(TidegateError, match="no room"):
        api(httpx.Response(404, json={"message": "namespaces load not found"})).make_secret({})


def test_an_agent_that_does_not_answer_as_it_should_is_silent() -> None:
    for answer in (httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(404)):
        with pytest.raises(SilentError):
            api(answer).agent("GET", "w-0", "/state")
