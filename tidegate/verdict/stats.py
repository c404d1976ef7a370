"""Confidence intervals for a share and for a percentile, 95 % each, two-sided.

Both take the requests as independent draws. Requests that queue behind each other are not, so the true
spread between runs is wider; the interval says how much of it the number of requests alone explains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_Z = 1.959963984540054
"""97.5 % point of the normal distribution."""
_TAIL = 0.025


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Return the Wilson score interval of a share (0 to 1) of `count` >= 1 trials.

    Unlike the textbook interval it has width when every trial succeeds, the usual case here
    (E. B. Wilson, 1927; Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion", 2001).
    """
    share, z2 = successes / count, _Z * _Z
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    high = 1.0 if successes == count else min(1.0, middle + half)
    return low, high


def percentile_ranks(count: int, percentile: float) -> tuple[int, int]:
    """Return the ranks, from 1, between whose values the true percentile lies.

    Of `count` draws, the number below the true p-th percentile is binomial(count, p): the ranks cut 2.5 %
    off either side of it, whatever the distribution of the values. Where too few draws are on one side to
    do so, the rank is that of the smallest or largest value, and the interval holds less than 95 %.
    """
    p = percentile / 100
    if not 0 < p < 1 or count < 1:
        raise ValueError(f"no interval for percentile {percentile} of {count} values")
    mean, deviation = count * p, math.sqrt(count * p * (1 - p))
    # Ten deviations hold all the probability a double can show; summing over more would add zeros.
    first = max(0, math.floor(mean - 10 * deviation - 10))
    last = min(count, math.ceil(mean + 10 * deviation + 10))
    below, low, high = 0.0, 1, count
    for k in range(first, last + 1):
        below += math.exp(
            math.lgamma(count + 1)
            - math.lgamma(k + 1)
            - math.lgamma(count - k + 1)
            + k * math.log(p)
            + (count - k) * math.log1p(-p)
        )
        if below <= _TAIL:
            low = k + 1
        elif below >= 1 - _TAIL:
            high = min(count, k + 1)
            break
    return min(low, count), high


def percentile_interval(ordered: Sequence[float], percentile: float) -> tuple[float, float]:
    """Return the values at `percentile_ranks` of `ordered`, which must be sorted and not empty."""
    low, high = percentile_ranks(len(ordered), percentile)
    return ordered[low - 1], ordered[high - 1]
