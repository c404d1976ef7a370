"""Run a Pulumi program against a recording monitor instead of an engine."""

# Pulumi's own test module and the generated protocol classes carry no types.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks as pulumi_mocks

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Registered:
    """One resource as the engine was asked for it."""

    urn: str
    type: str
    name: str
    inputs: dict[str, Any]
    provider: str
    deleted_with: str
    dependencies: frozenset[str]
    secret_outputs: frozenset[str]
    custom: bool

    @property
    def secrets(self) -> frozenset[str]:
        """Dotted paths of the inputs that are marked secret."""
        return frozenset(_secret_paths(self.inputs))


@dataclass
class Deployed:
    """All resources of a program, in the order of registration."""

    resources: list[Registered] = field(default_factory=list[Registered])

    def of_type(self, suffix: str) -> list[Registered]:
        return [each for each in self.resources if each.type.endswith(suffix)]

    def named(self, name: str) -> Registered:
        found = [each for each in self.resources if each.name == name]
        assert len(found) == 1, f"{name}: {[each.name for each in self.resources]}"
        return found[0]

    def objects(self) -> list[Registered]:
        return [each for each in self.resources if each.type.startswith("kubernetes:")]

    def waits_for(self, later: str, earlier: str) -> bool:
        """Whether the resource named `later` depends, directly or not, on the one named `earlier`."""
        by_urn = {each.urn: each for each in self.resources}
        goal, open_ = self.named(earlier).urn, list(self.named(later).dependencies)
        seen: set[str] = set()
        while open_:
            urn = open_.pop()
            if urn == goal:
                return True
            if urn not in seen:
                seen.add(urn)
                open_ += by_urn[urn].dependencies
        return False


def _secret_paths(value: object, path: str = "") -> list[str]:
    if isinstance(value, dict):
        mapping = cast("dict[str, object]", value)
        if mapping.get(_SIGNATURE) == _SECRET:
            return [path]
        return [
            found
            for key, inner in mapping.items()
            for found in _secret_paths(inner, f"{path}.{key}" if path else key)
        ]
    if isinstance(value, list):
        return [found for inner in cast("list[object]", value) for found in _secret_paths(inner, f"{path}[]")]
    return []


class _Answers(pulumi_mocks.Mocks):
    """What the providers would answer; nothing at all in a preview, where they are not asked."""

    def __init__(self, *, preview: bool) -> None:
        self._preview = preview

    def call(self, args: pulumi_mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(f"unexpected call {args.token}")

    def new_resource(self, args: pulumi_mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if self._preview:
            return "", dict(args.inputs)
        made: dict[str, Any] = {}
        if args.typ.endswith("KindCluster"):
            made = {"kubeconfig": "apiVersion: v1", "nodes": ["a", "b"], "workers": ["b"]}
            made["cluster_id"] = "token"
        if args.typ.endswith("NodeServer"):
            made = {"address": "172.18.0.1:4", "authority": "ca", "certificate": "crt", "key": "secret key"}
        if args.typ.endswith("Certificates"):
            made = {"authority": "ca", "certificate": "crt", "key": "secret key"}
            made |= {"client_certificate": "client crt", "client_key": "secret client key"}
        if args.typ.endswith("RandomPassword"):
            made = {"value": f"Password{args.name}"}
        return f"{args.name}-id", {**args.inputs, **made}


class _Recorder(pulumi_mocks.MockMonitor):
    def __init__(self, answers: _Answers) -> None:
        super().__init__(answers)
        self.deployed = Deployed()

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name is the protocol's
        response: Any = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.deployed.resources.append(
                Registered(
                    urn=response.urn,
                    type=request.type,
                    name=request.name,
                    inputs=json_format.MessageToDict(request.object),
                    provider=request.provider,
                    deleted_with=request.deletedWith,
                    dependencies=frozenset(request.dependencies),
                    secret_outputs=frozenset(request.additionalSecretOutputs),
                    custom=request.custom,
                )
            )
        return response


Deploy = Callable[..., Deployed]


def have_event_loop() -> None:
    """Give this thread the current event loop that Pulumi wants, if `asyncio.run` elsewhere took it away."""
    try:
        asyncio.get_event_loop_policy().get_event_loop()  # pyright: ignore[reportDeprecated]
    except RuntimeError:
        asyncio.set_event_loop(asyncio.new_event_loop())


def run_program(program: Callable[[], object], *, preview: bool = False) -> Deployed:
    """Run a program and tell what it registered."""
    have_event_loop()
    recorder = _Recorder(_Answers(preview=preview))
    pulumi.runtime.set_mocks(
        _Answers(preview=preview), project="tidegate", stack="test", preview=preview, monitor=recorder
    )

    def body() -> None:
        program()

    pulumi.runtime.test(body)()
    return recorder.deployed
