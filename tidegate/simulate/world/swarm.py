"""Pods as one table: what the fluid world knows of each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCHEDULED, STARTED, READY, SERVING = 0, 1, 2, 3
OFFSET = 4
"""What this pod has used beside what any serving pod has, CPU seconds: its start, less what the others had
done before it served; NaN until it serves."""
NEXT = 5
"""When the kubelet takes its next sample."""
BEFORE, AFTER = 6, 7
"""Moments of metrics-server's pair of samples."""
USED = 8
"""What the pod had used by the later one, CPU seconds."""
MILLI = 9
"""What the pair of samples says: milli-cores used between them; NaN without a pair."""
ROWS = 10


class Pods:
    """A column of `table` for each pod that is not told to go, oldest first.

    Times are seconds, NaN is never.
    """

    def __init__(self, table: Floats) -> None:
        self.table = table

    def __len__(self) -> int:
        return self.table.shape[1]

    def row(self, which: int) -> Floats:
        """Return one figure of all pods, as a view."""
        return self.table[which]

    def keep(self, which: NDArray[np.bool_]) -> Pods:
        """Return the pods of `which`."""
        return Pods(np.ascontiguousarray(self.table[:, which]))

    def join(self, other: Pods) -> Pods:
        """Return these and `other`, which are younger."""
        return Pods(np.concatenate((self.table, other.table), axis=1))
