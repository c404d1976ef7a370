"""Read a Pulumi stack's configuration file into the typed models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import Field, ValidationError

from tidegate.errors import TidegateError
from tidegate.models.base import Model
from tidegate.models.cluster import ClusterConfig
from tidegate.models.faults import FaultsConfig
from tidegate.models.load import LoadConfig
from tidegate.models.policy import Policy
from tidegate.models.problems import explain, nearest
from tidegate.models.slo import Slo

NAMESPACE = "tidegate:"
"""Prefix of the kit's own keys under `config:`; all others belong to Pulumi or its providers."""


class StackConfig(Model):
    """All the configuration of one stack."""

    policy: Policy = Field(default_factory=Policy, description="What decides scaling.")
    slo: Slo = Field(description="What is promised. It has no default: a promise must be written down.")
    cluster: ClusterConfig = Field(default_factory=ClusterConfig, description="Where it runs.")
    faults: FaultsConfig = Field(
        default_factory=FaultsConfig, description="What it has on board to break itself with."
    )
    load: LoadConfig = Field(
        default_factory=LoadConfig, description="What room it has for load generators in the cluster."
    )


M = TypeVar("M", bound=Model)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML lets a key appear twice and keeps the last; in a policy that hides a setting, so it is refused."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                continue
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} appears twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise TidegateError(
            "the stack's configuration was not found",
            where=str(path),
            cure="name a stack that has a Pulumi.<stack>.yaml",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise TidegateError(f"the stack's configuration cannot be read: {error}", where=str(path)) from error
    try:
        document: object = yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that there is not
        raise TidegateError(f"not valid YAML: {error}", where=str(path)) from error
    config = cast("dict[str, object]", document).get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        raise TidegateError("no `config:` mapping", where=str(path), cure=f"add config: with {NAMESPACE}slo")
    return cast("dict[str, Any]", config)


def load_stack(path: Path) -> StackConfig:
    """Return the configuration in the file `Pulumi.<stack>.yaml` at `path`.

    `tidegate:policy` and `tidegate:cluster` may be left out, whole or in part; what is not given has the
    default that its model documents. Keys outside `tidegate:` are ignored.

    Raises:
        TidegateError: the file is missing or not YAML, or a key is unknown, of the wrong unit or
            out of range.
    """
    file = str(path)
    own: dict[str, object] = {}
    for key, value in _read(path).items():
        if not str(key).startswith(NAMESPACE):
            continue
        name = str(key).removeprefix(NAMESPACE)
        if name not in StackConfig.model_fields:
            near = nearest(name, list(StackConfig.model_fields))
            valid = ", ".join(f"{NAMESPACE}{field}" for field in StackConfig.model_fields)
            cure = f"the nearest valid key is {NAMESPACE}{near}" if near else f"valid keys: {valid}"
            raise TidegateError("unknown key", where=f"{file}: {key}", cure=cure)
        own[name] = value
    if "slo" not in own:
        raise TidegateError(
            "no objectives", where=f"{file}: {NAMESPACE}slo", cure="add the key; see Pulumi.local.yaml"
        )
    return StackConfig(
        policy=_part(Policy, own.get("policy", {}), "policy", file),
        slo=_part(Slo, own["slo"], "slo", file),
        cluster=_part(ClusterConfig, own.get("cluster", {}), "cluster", file),
        faults=_part(FaultsConfig, own.get("faults", {}), "faults", file),
        load=_part(LoadConfig, own.get("load", {}), "load", file),
    )


def _part(model: type[M], value: object, name: str, file: str) -> M:
    prefix = f"{NAMESPACE}{name}"
    try:
        # Through JSON, so that a YAML date or a key that is a number fails like any other wrong value.
        return model.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise explain(error, model, file=file, prefix=prefix) from error
    except (TypeError, ValueError) as error:
        raise TidegateError(f"a value has no JSON form: {error}", where=f"{file}: {prefix}") from error
