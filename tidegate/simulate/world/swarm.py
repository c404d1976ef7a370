"""Pods as arrays: what the fluid world knows of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(eq=False)
class Pods:
    """One entry for each pod that is not told to go, oldest first; times are seconds, NaN is never."""

    scheduled: Floats
    started: Floats
    ready: Floats
    serving: Floats
    offset: Floats
    """What this pod has used beside what any serving pod has (`used_s`), CPU seconds: its start, less what
    the others had done before it served."""
    next_sample: Floats
    before: Floats
    after: Floats
    """Moments of metrics-server's pair of samples."""
    used_before: Floats
    used_after: Floats
    milli: Floats
    """What the pair of samples says: milli-cores used between them; NaN without a pair."""

    def keep(self, which: NDArray[np.bool_]) -> Pods:
        """Return the pods of `which`."""
        return Pods(*(getattr(self, name)[which] for name in self.__dataclass_fields__))

    def join(self, other: Pods) -> Pods:
        """Return these and `other`, which are younger."""
        return Pods(
            *(
                np.concatenate((getattr(self, name), getattr(other, name)))
                for name in self.__dataclass_fields__
            )
        )
