"""Imports that would bring more than is wanted."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from pydantic import BaseModel

_SDK = "opentelemetry.sdk.metrics"


def import_fastapi() -> ModuleType:
    """Import FastAPI without building the models of the OpenAPI document.

    Few processes are ever asked for the document, and its models are a twelfth of the start's CPU. They are
    built when somebody asks (pydantic's `defer_build`, which subclasses take over from `BaseModel`).
    """
    BaseModel.model_config["defer_build"] = True
    try:
        return import_module("fastapi")
    finally:
        del BaseModel.model_config["defer_build"]


def defer_package(name: str, **parts: str) -> None:
    """Let the parts of a package be imported without the rest of it, which its `__init__` would bring.

    uvicorn's brings its command line, prometheus_client's several HTTP servers: a fortieth of the start. It
    runs as soon as the package itself is asked for anything else, so whoever says `import uvicorn` sees no
    difference. A package that is loaded already stays as it is.

    Args:
        name: of a package that is no part of another.
        parts: names that the package takes over from parts, and which part has each.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, package = spec.loader, module_from_spec(spec)

    def complete(attribute: str) -> Any:
        if attribute in parts:
            return getattr(import_module(f"{name}.{parts[attribute]}"), attribute)
        if find_spec(f"{name}.{attribute}") is not None:
            return import_module(f"{name}.{attribute}")
        vars(package).pop("__getattr__", None)
        loader.exec_module(package)
        return getattr(package, attribute)

    vars(package)["__getattr__"] = complete
    sys.modules[name] = package


def import_redis(name: str = "redis") -> ModuleType:
    """Import redis-py without the tracing library.

    redis-py loads OpenTelemetry's SDK where it is installed, used or not: a quarter more CPU for its import,
    which the start of every worker would pay. What is loaded already, because tracing is on, stays.
    """
    hidden = _SDK not in sys.modules
    if hidden:
        # As if it were not installed, which redis-py is prepared for (`import` of None raises ImportError).
        sys.modules[_SDK] = None  # type: ignore[assignment]
    try:
        return import_module(name)
    finally:
        if hidden:
            del sys.modules[_SDK]
