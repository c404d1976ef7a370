from __future__ import annotations

import json
from typing import Any

import pytest

from app.core.exceptions import NotFoundError, OverloadedError
from app.core.problems import problem_response, service_error_response, title_of

SCOPE: dict[str, Any] = {"type": "http", "path": "/api/v1/orders/7", "state": {"request_id": "r-1"}}


def test_a_service_error_becomes_a_problem_of_its_own_type() -> None:
    response = service_error_response(SCOPE, NotFoundError("there is no order 7"))
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:tidegate:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no order 7",
        "instance": "/api/v1/orders/7",
        "request_id": "r-1",
    }


def test_a_refusal_says_when_to_come_back() -> None:
    assert service_error_response(SCOPE, OverloadedError("no", retry_after_s=7)).headers["Retry-After"] == "7"
    assert "Retry-After" not in service_error_response(SCOPE, OverloadedError("no")).headers


def test_a_problem_that_is_only_its_status_is_about_blank() -> None:
    told = json.loads(bytes(problem_response(SCOPE, 405).body))
    assert (told["type"], told["title"]) == ("about:blank", "Method Not Allowed")
    assert "detail" not in told


@pytest.mark.parametrize(
    ("status", "title"),
    [(404, "Not Found"), (413, "Content Too Large"), (422, "Unprocessable Content"), (599, "Error")],
)
def test_titles_are_those_of_the_standard(status: int, title: str) -> None:
    assert title_of(status) == title
