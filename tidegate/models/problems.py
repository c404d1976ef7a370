"""Turn a failed validation into one line that names the key, the unit expected and the nearest valid key."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tidegate.errors import TidegateError
from tidegate.models.base import Unit

Location = Sequence[int | str]

_WRONG_TYPE = {"int_type", "float_type", "int_parsing", "float_parsing", "int_from_float", "finite_number"}


def _inner_model(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _inner_model(part))), None)


def _units(annotation: Any) -> Iterator[Unit]:
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Unit):
            yield part
    for part in get_args(annotation):
        yield from _units(part)


def _walk(model: type[BaseModel], location: Location) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """Follow `location`; return the innermost model reached and the last field."""
    current: type[BaseModel] | None = model
    field: FieldInfo | None = None
    for part in location:
        if isinstance(part, int):
            continue
        field = current.model_fields.get(part) if current is not None else None
        current = _inner_model(field.annotation) if field is not None else None
    return current, field


def unit(field: FieldInfo | None) -> Unit | None:
    """Return the unit that a field's type carries; None without a field, or where it counts nothing."""
    if field is None:
        return None
    direct = next((part for part in field.metadata if isinstance(part, Unit)), None)
    return direct or next(_units(field.annotation), None)


def dotted(prefix: str, location: Location) -> str:
    """Return `location` below `prefix` as a user would write it: `a.b[0].c`."""
    return prefix + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


def _all_keys(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{above}{name}"
        inner = _inner_model(field.annotation)
        if inner is not None:
            yield from _all_keys(inner, f"{above}{name}.")


def nearest(key: str, valid: Sequence[str]) -> str | None:
    """Return the valid key most like `key`, or None when none resembles it."""
    close = difflib.get_close_matches(key.lower(), [name.lower() for name in valid], n=1, cutoff=0.6)
    return next((name for name in valid if name.lower() == close[0]), None) if close else None


def _unknown_key_cure(model: type[BaseModel], prefix: str, location: Location) -> str:
    key, above = str(location[-1]), location[:-1]
    parent, _ = _walk(model, above)
    siblings = list(parent.model_fields) if parent is not None else []
    if (sibling := nearest(key, siblings)) is not None:
        return f"the nearest valid key is {dotted(prefix, [*above, sibling])}"
    # A right key in the wrong place is the other common slip.
    elsewhere = {path.rsplit(".", 1)[-1]: path for path in reversed(list(_all_keys(model)))}
    if (other := nearest(key, list(elsewhere))) is not None:
        return f"the nearest valid key is {prefix}.{elsewhere[other]}"
    return f"valid here: {', '.join(siblings)}" if siblings else "remove it"


def _one(error: ErrorDetails, model: type[BaseModel], prefix: str) -> tuple[str, str, str]:
    """Return the key, what is wrong, and the cure."""
    location: Location = error["loc"]
    key, kind = dotted(prefix, location), error["type"]
    if kind == "extra_forbidden":
        return key, "unknown key", _unknown_key_cure(model, prefix, location)
    if kind == "missing":
        return key, "missing key", f"give {key}"
    _, field = _walk(model, location)
    known = unit(field)
    if kind in _WRONG_TYPE and known is not None:
        return (
            key,
            f"{error['input']!r} is not {known.name}",
            f"write it as {known.name}, for example {known.example}",
        )
    message = error["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return key, message, ""
    given = "" if isinstance(error["input"], dict | list) else f", got {error['input']!r}"
    expected = f" ({known.name})" if known is not None else ""
    return key, f"{message[0].lower()}{message[1:]}{expected}{given}", ""


def explain(error: ValidationError, model: type[BaseModel], *, file: str, prefix: str) -> TidegateError:
    """Return the error a user sees for `error`.

    Args:
        error: what pydantic raised.
        model: the model that was validated.
        file: path of the file the value came from.
        prefix: the key in that file under which the model's keys live, for example `tidegate:policy`.
    """
    found = error.errors(include_url=False, include_context=False)
    key, what, cure = _one(found[0], model, prefix)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return TidegateError(f"{what}{more}", where=f"{file}: {key}", cure=cure)
