"""When requests arrive: from a trace, or from a rate that changes in steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from random import Random

from tidegate.simulate.world.traces import Bin


def arrivals(bins: Iterable[Bin], rng: Random, *, scale: float = 1.0) -> Iterator[float]:
    """Yield the moment of each request, seconds, in order, one at a time.

    A bin's count is taken as it is, times `scale`, its fraction left to chance; the moments within it are
    those of a Poisson process of which that many arrivals are known: independent and uniform. They are drawn
    in order, each as the least of those still to come, so that a bin of any count needs no memory.
    """
    for one in bins:
        wanted = one.count * scale
        count = int(wanted) + (rng.random() < wanted - int(wanted))
        if one.width_s == 0.0:
            yield from (one.start_s for _ in range(count))
            continue
        at_s, end_s = one.start_s, one.start_s + one.width_s
        for left in range(count, 0, -1):
            at_s += (end_s - at_s) * (1.0 - rng.random() ** (1.0 / left))
            yield at_s


def steps(rates: Sequence[tuple[float, float]], width_s: float = 1.0) -> list[Bin]:
    """Return the bins of a load given as (length in seconds, requests a second) one after the other."""
    bins, at_s = list[Bin](), 0.0
    for length_s, rate in rates:
        end_s = at_s + length_s
        while at_s < end_s:
            width = min(width_s, end_s - at_s)
            bins.append(Bin(at_s, width, rate * width))
            at_s += width
    return bins


def spike(base_rps: float, peak_rps: float) -> list[Bin]:
    """Return one minute of base load, two of peak, four of base."""
    return steps(((60.0, base_rps), (120.0, peak_rps), (240.0, base_rps)))
