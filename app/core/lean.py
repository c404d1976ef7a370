"""Imports that would bring more than is wanted."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

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
