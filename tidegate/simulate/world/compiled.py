"""Functions that are compiled to machine code when they are first called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba  # pyright: ignore[reportMissingTypeStubs]

_F = TypeVar("_F", bound=Callable[..., object])
_njit = cast(Any, numba).njit


def compiled(function: _F) -> _F:
    """Return `function`, compiled for the types it is called with.

    Floating point is left as it is written, neither reordered nor fused (numba's `fastmath` is off), so the
    result has the bits that Python would give. The machine code is kept beside the source or in the user's
    cache.
    """
    try:
        return cast(_F, _njit(cache=True)(function))
    except RuntimeError:
        # No folder can be written to: compiled anew in each process.
        return cast(_F, _njit()(function))
