"""The fields of a policy, each with all that is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.models.problems import nearest, unit
from tidegate.models.text import value_text


@dataclass(frozen=True, slots=True)
class Field:
    """One setting.

    Args:
        path: dotted, as `web.hpa.cpu_target_percent`.
        value: what is in force.
        default: what it would be if it were not given.
        unit: what a number counts, in words; empty where it is none.
        least: the smallest value allowed; None where there is no such bound.
        most: the largest.
        reason: what it does and why it is bounded so.
        choices: the words allowed, where it is one of a few.
    """

    path: str
    value: Any
    default: Any
    unit: str
    least: float | None
    most: float | None
    reason: str
    choices: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]

    @property
    def is_default(self) -> bool:
        """Whether nobody chose it."""
        return self.value == self.default

    @property
    def text(self) -> str:
        """The value with its unit."""
        return value_text(self.name, self.value)

    @property
    def default_text(self) -> str:
        """The default with its unit."""
        return value_text(self.name, self.default)


def fields(policy: Policy) -> list[Field]:
    """Every field of `policy`, in the model's order."""
    return list(_walk(policy, Policy(), ""))


def field(policy: Policy, path: str) -> Field:
    """The field at the dotted `path`.

    Raises:
        TidegateError: there is none; the nearest is named.
    """
    found = {each.path: each for each in fields(policy)}
    if path in found:
        return found[path]
    last = {each.name: each.path for each in found.values()}
    like = nearest(path, list(found)) or last.get(nearest(path.rpartition(".")[2], list(last)) or "")
    cure = f"the nearest is {like}" if like else "`tidegate policy show` lists them"
    raise TidegateError(f"a policy has no field {path!r}", cure=cure)


def _walk(model: BaseModel, default: BaseModel, above: str) -> Iterator[Field]:
    for name, info in type(model).model_fields.items():
        value, usual = getattr(model, name), getattr(default, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, usual, f"{above}{name}.")
        else:
            yield _described(f"{above}{name}", value, usual, info)


def _described(path: str, value: object, usual: object, info: FieldInfo) -> Field:
    known = unit(info)
    least = next((float(str(each.ge)) for each in info.metadata if isinstance(each, Ge)), None)
    most = next((float(str(each.le)) for each in info.metadata if isinstance(each, Le)), None)
    choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
    unit_name = known.name if known else ""
    return Field(path, value, usual, unit_name, least, most, info.description or "", choices)
