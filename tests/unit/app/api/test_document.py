"""The OpenAPI document: valid, with names for people and examples that fit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, cast

import pytest
from jsonschema.validators import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from app.core.settings import Settings
from app.main import create_app
from app.resources import Resources


@pytest.fixture
def document(shop: Settings) -> Iterator[dict[str, Any]]:
    resources = Resources.create(shop, application="test")
    yield create_app(resources).openapi()
    asyncio.run(resources.close())


def _examples(node: object, where: str = "#") -> Iterator[tuple[str, object, dict[str, Any]]]:
    """Place, example and schema of everything that has an example."""
    if isinstance(node, list):
        for number, item in enumerate(cast("list[object]", node)):
            yield from _examples(item, f"{where}/{number}")
    if not isinstance(node, dict):
        return
    here = cast("dict[str, Any]", node)
    if "example" in here and "schema" in here:
        yield where, here["example"], here["schema"]
    if isinstance(here.get("examples"), list):
        for each in here["examples"]:
            yield where, each, {key: value for key, value in here.items() if key != "examples"}
    for key, value in here.items():
        if key not in ("example", "examples"):
            yield from _examples(value, f"{where}/{key}")


def test_it_is_valid(document: dict[str, Any]) -> None:
    validate(document, cls=OpenAPIV31SpecValidator)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    examples = list(_examples(document))
    assert len(examples) > 50
    for where, example, schema in examples:
        validator: Any = Draft202012Validator({**schema, "components": document["components"]})
        errors = [error.message for error in validator.iter_errors(example)]
        assert not errors, f"{where}: {errors[0]}"


def test_operations_have_names_that_a_client_can_use(document: dict[str, Any]) -> None:
    ids = {
        (method, path): operation["operationId"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert len(set(ids.values())) == len(ids)
    assert ids["post", "/api/v1/orders"] == "place_order_v1"
    assert ids["post", "/api/v2/orders"] == "place_order_v2"
    assert ids["get", "/readyz"] == "readyz"


def test_a_problems_example_is_of_its_own_route(document: dict[str, Any]) -> None:
    found = {
        path: operation["responses"]["429"]["content"]["application/problem+json"]["example"]["instance"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if "429" in operation["responses"]
    }
    assert found["/api/v1/auth/token"] == "/api/v1/auth/token"
    assert found["/api/v2/auth/token"] == "/api/v2/auth/token"
    assert found["/api/v2/products/{id}"] == "/api/v2/products/1"
    assert found["/api/v2/orders/{id}"] == "/api/v2/orders/00000000-0000-0000-0000-000000000001"


def test_what_prometheus_reads_is_text(document: dict[str, Any]) -> None:
    assert list(document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]) == ["text/plain"]


def test_a_token_is_asked_for_where_it_is_needed(document: dict[str, Any]) -> None:
    secured = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "security" in operation
    }
    assert ("post", "/api/v2/orders") in secured
    assert ("patch", "/api/v2/products/{id}") in secured
    assert not [path for _, path in secured if path.endswith("/token")]
    assert ("get", "/api/v2/products") not in secured
