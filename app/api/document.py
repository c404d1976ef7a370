"""The OpenAPI document, completed with what routes cannot say by themselves."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from app.core.problems import MEDIA_TYPE
from app.schemas.problems import Problem


def operation_id(route: APIRoute) -> str:
    """The name that generated clients give the operation: the function's, and the version of the API."""
    _, *parts = route.path_format.split("/")
    return f"{route.name}_{parts[1]}" if parts[0] == "api" else route.name


def complete_document(app: FastAPI) -> None:
    """Make `app.openapi` answer the completed document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            _describe_problems(schemas)
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _name_instances(path, operation)
                    if "401" not in operation["responses"]:
                        # A token is looked at for the caller's budget, and nothing depends on it.
                        operation.pop("security", None)
        return document

    app.openapi = openapi


def _describe_problems(schemas: dict[str, Any]) -> None:
    """Add the schema that the routes refer to by name."""
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    # FastAPI documents its own body for 422; no route here answers with it.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)


def _name_instances(path: str, operation: dict[str, Any]) -> None:
    """Complete the examples: a problem names the path it happened at, which a route does not know."""
    example_id = str(uuid.UUID(int=1)) if "/orders/" in path else "1"
    for response in operation["responses"].values():
        content = response.get("content", {}).get(MEDIA_TYPE, {})
        if "example" in content:
            named = content["example"] | {"instance": path.replace("{id}", example_id)}
            # A copy: routes that are in two versions of the API share theirs.
            response["content"] = {MEDIA_TYPE: {**content, "example": named}}
