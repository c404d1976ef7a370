"""The ports of this machine that a kind configuration publishes."""

from __future__ import annotations

import os
from typing import Any, cast

import yaml

from tidegate.errors import TidegateError
from tidegate.host.checks.ports import is_free, listener


def published(config: str) -> list[int]:
    """The ports on 127.0.0.1 that the kind configuration `config` asks for, the gateway's first."""
    document = cast("dict[str, Any]", yaml.safe_load(config))
    ports: list[int] = []
    for node in cast("list[dict[str, Any]]", document.get("nodes", [])):
        mappings = cast("list[dict[str, Any]]", node.get("extraPortMappings", []))
        ports += [int(each["hostPort"]) for each in mappings]
    networking = cast("dict[str, Any]", document.get("networking", {}))
    return [*ports, int(networking["apiServerPort"])] if "apiServerPort" in networking else ports


def require_free(config: str) -> None:
    """Refuse a configuration whose ports somebody holds, before kind fails with a page about it.

    Raises:
        TidegateError: a port is taken; the program that holds it is named where it can be seen.
    """
    if not os.environ.get("DOCKER_HOST", "unix://").startswith("unix://"):
        return  # the engine's machine is another one, whose ports cannot be tried from here
    for port in published(config):
        if is_free(port) is False:
            who = listener(port)
            raise TidegateError(
                f"127.0.0.1:{port} is taken{f' by {who}' if who else ''}",
                cure="end that program, or choose another port under tidegate:cluster in the stack's file",
            )
