"""Policies, objectives and worlds from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar, cast

import yaml
from pydantic import ValidationError

from tidegate.errors import TidegateError
from tidegate.models import Policy, Slo
from tidegate.models.base import Model
from tidegate.models.problems import explain
from tidegate.models.stack import load_stack
from tidegate.simulate.world.parameters import World

_LONGEST = 1 << 20
M = TypeVar("M", bound=Model)


def policy_from(path: Path) -> Policy:
    """Return the policy in a stack's file, or in a YAML or JSON file that is a policy itself.

    Raises:
        TidegateError: the file cannot be read, or a key is unknown, of the wrong unit or out of range.
    """
    document = _document(path)
    return load_stack(path).policy if "config" in document else _model(Policy, document, path)


def slo_from(path: Path) -> Slo:
    """Return the objectives in a stack's file, or in a YAML or JSON file of their own.

    Raises:
        TidegateError: as for `policy_from`.
    """
    document = _document(path)
    return load_stack(path).slo if "config" in document else _model(Slo, document, path)


def world_from(path: Path | None) -> World:
    """Return the world in a YAML or JSON file; without one, the default.

    Raises:
        TidegateError: as for `policy_from`.
    """
    return World() if path is None else _model(World, _document(path), path)


def _document(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error
    if len(data) > _LONGEST:
        raise TidegateError("the file is larger than 1 MiB", where=str(path), cure="is it the right file?")
    try:
        found: object = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise TidegateError(f"not valid YAML: {error}", where=str(path)) from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise TidegateError("the file holds no keys", where=str(path))
    return cast("dict[str, object]", found)


def _model(model: type[M], document: dict[str, object], path: Path) -> M:
    try:
        # Through JSON, so that a YAML date or a key that is a number fails like any other wrong value.
        return model.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise explain(error, model, file=str(path), prefix=model.__name__.lower()) from error
    except (TypeError, ValueError) as error:
        raise TidegateError(f"a value has no JSON form: {error}", where=str(path)) from error
