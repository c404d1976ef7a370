"""The JSON that Prometheus answers to a range query, such as `sum(rate(http_requests_total[1m]))`."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, cast

from tidegate.errors import TidegateError
from tidegate.load.traces.lines import open_plain

LARGEST_BYTES = 64 * 1024 * 1024
"""A server answers at most 11,000 points a series, so this is hundreds of series."""
_CURE = "save the answer of /api/v1/query_range"


class Rates(NamedTuple):
    """Requests by step."""

    step_s: float
    requests: dict[float, float]
    """By the step's start."""


def range_rates(paths: Sequence[Path], most: int) -> Rates:
    """Return the requests of each step: the sum of all series' rates, times the step.

    Every series must have been sampled at the same step, the least distance between two of its points.

    Raises:
        TidegateError: a file is too large, no such answer, or has more than `most` points; it names the
            file, and the line or the point.
    """
    rates: dict[float, float] = {}
    for path in paths:
        for at_s, rate, where in _points(path):
            rates[at_s] = rates.get(at_s, 0.0) + rate
            if len(rates) > most:
                raise TidegateError(f"the trace has more than {most} points", where=where)
    step_s = min((after - before for before, after in pairwise(sorted(rates))), default=60.0)
    return Rates(step_s, {at_s: rate * step_s for at_s, rate in rates.items()})


def _points(path: Path) -> Iterator[tuple[float, float, str]]:
    answer = _object(_load(path))
    if "status" in answer:
        if answer["status"] != "success":
            raise TidegateError(f"the query had failed: {answer.get('error')}", where=str(path), cure=_CURE)
        answer = _object(answer.get("data"))
    kind, series = answer.get("resultType"), answer.get("result")
    if kind != "matrix" or not isinstance(series, list):
        raise TidegateError("no answer to a range query (a matrix)", where=str(path), cure=_CURE)
    for s, one in enumerate(cast("list[Any]", series)):
        values = _object(one).get("values")
        if not isinstance(values, list):
            raise TidegateError("the series has no values", where=f"{path}: result[{s}]", cure=_CURE)
        for v, pair in enumerate(cast("list[Any]", values)):
            where = f"{path}: result[{s}].values[{v}]"
            try:
                at, value = cast("list[Any]", pair)
                at_s, rate = float(at), float(value)
            except (TypeError, ValueError) as error:
                raise TidegateError("not a pair of time and value", where=where, cure=_CURE) from error
            # NaN, where a query had nothing to divide, compares false.
            if not (0 <= rate <= 1e12 and abs(at_s) < 1e15):
                raise TidegateError(
                    f"{str(value)[:40]!r} is no rate",
                    where=where,
                    cure="query requests a second, as rate() gives",
                )
            yield at_s, rate, where


def _object(value: object) -> dict[str, Any]:
    """Return `value` if it is a JSON object, an empty one otherwise."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _load(path: Path) -> Any:
    try:
        with open_plain(path) as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise TidegateError(f"cannot read the trace: {error}", where=str(path)) from error
    if len(data) > LARGEST_BYTES:
        raise TidegateError(
            f"the answer has more than {LARGEST_BYTES >> 20} MiB", where=str(path), cure="query fewer series"
        )
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise TidegateError(f"not JSON: {error.msg}", where=f"{path}:{error.lineno}", cure=_CURE) from error
    except (ValueError, RecursionError) as error:
        raise TidegateError(f"not JSON: {error}", where=str(path), cure=_CURE) from error
