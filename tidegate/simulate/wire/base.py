"""What the models of a line share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from tidegate.models.base import Model, Unit
from tidegate.simulate.hpa.quantity import parse_quantity

_FURTHEST_S = 1e11
"""About the year 5138: beyond it a time is a slip of units."""


class LineModel(Model):
    """A part of a line. The first unknown key ends the check, so that many need no memory."""

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        if isinstance(value, dict):
            known = _keys_of(cls)
            for key in cast("dict[str, object]", value):
                if key not in known:
                    raise ValueError(f"unknown key {key[:60]!r}")
        return cast("object", value)


@cache
def _keys_of(model: type[BaseModel]) -> frozenset[str]:
    return frozenset(field.alias or name for name, field in model.model_fields.items())


class KubernetesModel(LineModel):
    """A part of a Kubernetes object, with the API's own names; an unknown key is an error."""

    model_config = ConfigDict(alias_generator=to_camel)


class Ignored(BaseModel):
    """A part of a Kubernetes object that decides nothing: anything is accepted."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _quantity_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_quantity(value: str) -> str:
    parse_quantity(value)
    return value


def _is_positive(value: str) -> str:
    if parse_quantity(value).unscaled <= 0:
        raise ValueError("must be positive")
    return value


def _is_not_negative(value: str) -> str:
    if parse_quantity(value).unscaled < 0:
        raise ValueError("must not be negative")
    return value


def _quantities(value: object) -> object:
    """Check a map of quantities up to the first bad one: a hostile map must not fill memory with errors."""
    if not isinstance(value, Mapping):
        raise ValueError("must be an object of quantities")  # noqa: TRY004 - pydantic tells ValueErrors to the user
    for name, amount in cast("Mapping[object, object]", value).items():
        text = _quantity_text(amount)
        if not isinstance(text, str):
            raise ValueError(f"{str(name)[:60]} must be a quantity such as 250m or 64Mi")  # noqa: TRY004
        parse_quantity(text)
    return {name: _quantity_text(amount) for name, amount in cast("Mapping[str, object]", value).items()}


def numbers(value: object) -> dict[str, float]:
    """Check a map of finite numbers up to the first bad one.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(value, Mapping):
        raise ValueError("must be an object of numbers")  # noqa: TRY004 - as above
    for name, amount in cast("Mapping[object, object]", value).items():
        number(amount, str(name))
    return cast("dict[str, float]", value)


def number(value: object, name: str) -> float:
    """Return `value` where it is a finite number.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < float("inf"):
        raise ValueError(f"{name[:60]} must be a finite number")
    return float(value)


_QUANTITY_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string"}, {"type": "number"}], "unit": "a Kubernetes quantity", "examples": ["250m"]}
)
Quantity = Annotated[str, BeforeValidator(_quantity_text), AfterValidator(_is_quantity), _QUANTITY_SCHEMA]
PositiveQuantity = Annotated[
    str, BeforeValidator(_quantity_text), AfterValidator(_is_positive), _QUANTITY_SCHEMA
]
QuantityFromZero = Annotated[
    str, BeforeValidator(_quantity_text), AfterValidator(_is_not_negative), _QUANTITY_SCHEMA
]
Quantities = Annotated[
    dict[str, Any],
    BeforeValidator(_quantities),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "number"}]}}
    ),
]
Numbers = Annotated[
    dict[str, Any],
    BeforeValidator(numbers),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
]
Int32 = Annotated[int, Strict(), Field(ge=-(2**31), le=2**31 - 1)]
Replicas = Annotated[int, Strict(), Field(ge=0, le=2**31 - 1), Unit("replicas", "3")]
Moment = Annotated[
    float, Field(ge=-_FURTHEST_S, le=_FURTHEST_S), Unit("seconds on the history's one clock", "1015.0")
]
Ratio = Annotated[float, Field(ge=0, le=1e6), Unit("a ratio, where 0.1 is ten percent", "0.1")]
Span = Annotated[float, Field(ge=0, le=_FURTHEST_S), Unit("seconds", "15")]
Name = Annotated[str, Field(max_length=1024)]

__all__ = [
    "Ignored",
    "Int32",
    "KubernetesModel",
    "LineModel",
    "Moment",
    "Name",
    "Numbers",
    "PositiveQuantity",
    "Quantities",
    "Quantity",
    "QuantityFromZero",
    "Ratio",
    "Replicas",
    "Span",
    "number",
    "numbers",
]
