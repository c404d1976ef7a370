"""What the VerticalPodAutoscaler's recommender comes to for one container, from samples of its use.

Rules and constants are those of k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1, below pkg/recommender:
`util/histogram*.go` and `util/decaying_histogram.go` for the histograms, `model/aggregations_config.go` for
their buckets and half-lives, `model/aggregate_container_state.go` for the weights, `logic/estimator.go` and
`logic/recommender.go` for percentiles, margin and confidence, `config/config.go` for the defaults.

Left out: checkpoints, which round weights to 1/10000; bumps after an OOM kill; a container policy's bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

MIN_WEIGHT = 0.1
"""Weight of a CPU sample; a memory peak weighs 1."""
EPSILON = 0.001 * MIN_WEIGHT
"""A bucket with less is empty."""
RATIO = 1.05
"""Each bucket is wider than the one before by this."""
HALF_LIFE_S = 86_400.0
PEAK_INTERVAL_S = 86_400.0
"""Memory counts by its greatest use in each interval of this length."""
MARGIN = 0.15
MIN_CPU_M, MIN_MEMORY_BYTES = 25, 250 * 1024 * 1024
"""Least that is recommended for a pod; its containers share it equally."""
CONFIDENCE_S = 86_400.0
_MOST_EXPONENT = 100
_MOST_AMOUNT = 2**63 - 1
"""An amount is an int64 upstream (model/types.go), and so is what no history multiplies without end."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets that grow exponentially: the first from 0 to `first`, each next one wider by `RATIO`."""

    most: float
    first: float

    @property
    def count(self) -> int:
        """Number of buckets; the last has no end."""
        return math.ceil(math.log(self.most * (RATIO - 1) / self.first + 1) / math.log(RATIO)) + 1

    def find(self, value: float) -> int:
        """Return the bucket of `value`."""
        if value < self.first:
            return 0
        return min(int(math.log(value * (RATIO - 1) / self.first + 1) / math.log(RATIO)), self.count - 1)

    def start(self, bucket: int) -> float:
        """Return where a bucket begins."""
        return self.first * (RATIO**bucket - 1) / (RATIO - 1) if bucket else 0.0


CPU_CORES = Buckets(1000.0, 0.01)
MEMORY_BYTES = Buckets(1e12, 1e7)


@dataclass
class Histogram:
    """A histogram in which a sample loses half its weight in `HALF_LIFE_S`.

    Instead of old samples becoming lighter, new ones are heavier: by 2 for each half-life since `since_s`.
    """

    buckets: Buckets
    since_s: float = 0.0
    """A whole number of half-lives."""
    weights: dict[int, float] = field(default_factory=dict[int, float])
    total: float = 0.0

    def add(self, value: float, weight: float, t_s: float) -> None:
        """Add a sample of `t_s`."""
        self._change(value, weight * self._factor(t_s))

    def take(self, value: float, weight: float, t_s: float) -> None:
        """Take away a sample that was added."""
        bucket, less = self.buckets.find(value), weight * self._factor(t_s)
        self.total = self.total - less if self.total - less >= EPSILON else 0.0
        left = self.weights.get(bucket, 0.0) - less
        self.weights[bucket] = left if left >= EPSILON else 0.0

    def percentile(self, share: float) -> float:
        """Return the end of the bucket that holds the percentile, `share` from 0 to 1; 0 without samples."""
        full = sorted(bucket for bucket, weight in self.weights.items() if weight >= EPSILON)
        if not full:
            return 0.0
        partial, found = 0.0, full[-1]
        for bucket in sorted(self.weights):
            if full[0] <= bucket < full[-1]:
                partial += self.weights[bucket]
                if partial >= share * self.total:
                    found = bucket
                    break
        return self.buckets.start(min(found + 1, self.buckets.count - 1))

    def _change(self, value: float, weight: float) -> None:
        bucket = self.buckets.find(value)
        self.weights[bucket] = self.weights.get(bucket, 0.0) + weight
        self.total += weight

    def _factor(self, t_s: float) -> float:
        if t_s > self.since_s + HALF_LIFE_S * _MOST_EXPONENT:
            # The factor would grow too large: begin anew, with what there is made lighter.
            since_s = math.floor(t_s / HALF_LIFE_S + 0.5) * HALF_LIFE_S
            lighter = 2.0 ** math.floor((self.since_s - since_s) / HALF_LIFE_S + 0.5)
            self.weights = {bucket: weight * lighter for bucket, weight in self.weights.items()}
            self.total *= lighter
            self.since_s = since_s
        return 2.0 ** ((t_s - self.since_s) / HALF_LIFE_S)


@dataclass(frozen=True, slots=True)
class Recommended:
    """CPU in whole milli-cores, memory in whole bytes."""

    cpu_m: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Recommendation:
    """For one container."""

    lower: Recommended
    target: Recommended
    upper: Recommended


@dataclass
class Recommender:
    """What is known of one container."""

    cpu: Histogram = field(default_factory=lambda: Histogram(CPU_CORES))
    memory: Histogram = field(default_factory=lambda: Histogram(MEMORY_BYTES))
    first_s: float | None = None
    last_s: float = 0.0
    samples: int = 0
    _peak: tuple[float, float] | None = None
    """End of the interval and the greatest use in it, which is in the histogram."""
    _memory_s: float = -math.inf

    def add_cpu(self, cores: float, t_s: float) -> None:
        """Add a sample of CPU use that began at `t_s`."""
        self.cpu.add(cores, MIN_WEIGHT, t_s)
        self.first_s = t_s if self.first_s is None else min(self.first_s, t_s)
        self.last_s, self.samples = max(self.last_s, t_s), self.samples + 1

    def add_memory(self, used_bytes: float, t_s: float) -> None:
        """Add a sample of memory use: the greatest of an interval counts (model/container.go).

        A sample that is older than the last one is ignored.
        """
        if t_s < self._memory_s:
            return
        self._memory_s = t_s
        end_s, most = self._peak or (t_s, 0.0)
        if t_s < end_s:
            if not most or used_bytes <= most:
                return
            self.memory.take(most, 1.0, end_s)
        else:
            end_s += (math.floor((t_s - end_s) / PEAK_INTERVAL_S) + 1) * PEAK_INTERVAL_S
        self.memory.add(used_bytes, 1.0, end_s)
        self._peak = (end_s, used_bytes)

    @property
    def confidence(self) -> float:
        """Days of history, or of samples at one a minute, whichever is less."""
        if self.first_s is None:
            return 0.0
        return min((self.last_s - self.first_s) / CONFIDENCE_S, self.samples / (CONFIDENCE_S / 60))

    def recommended(self, containers: int = 1) -> Recommendation:
        """Return the recommendation for this one of `containers` of a pod."""
        return Recommendation(
            self._bound(0.5, containers, 0.001, -2.0),
            self._bound(0.9, containers, 0.0, 1.0),
            self._bound(0.95, containers, 1.0, 1.0),
        )

    def _bound(self, share: float, containers: int, multiplier: float, exponent: float) -> Recommended:
        factor = _factor(self.confidence, multiplier, exponent)
        cpu_m = _amount(self.cpu.percentile(share) * 1000)
        memory = _amount(self.memory.percentile(share))
        return Recommended(
            max(_scaled(cpu_m, factor), _amount(MIN_CPU_M / containers)),
            max(_scaled(memory, factor), _amount(MIN_MEMORY_BYTES / containers)),
        )


def recommend(
    cpu: Iterable[tuple[float, float]], memory: Iterable[tuple[float, float]] = (), *, containers: int = 1
) -> Recommendation:
    """Return what the recommender says after samples of (seconds, cores) and (seconds, bytes)."""
    known = Recommender()
    for t_s, cores in cpu:
        known.add_cpu(cores, t_s)
    for t_s, used_bytes in memory:
        known.add_memory(used_bytes, t_s)
    return known.recommended(containers)


def _factor(confidence: float, multiplier: float, exponent: float) -> float:
    if not multiplier:
        return 1.0
    if not confidence:  # Go divides by zero: infinity, or nothing of it
        return math.inf if exponent > 0 else 0.0
    return (1.0 + multiplier / confidence) ** exponent


def _scaled(amount: int, factor: float) -> int:
    """Return an amount with the margin, then times `factor`; whole numbers after each step, as upstream."""
    with_margin = amount + _amount(amount * MARGIN)
    return 0 if not with_margin else _amount(with_margin * factor)


def _amount(value: float) -> int:
    return _MOST_AMOUNT if value >= _MOST_AMOUNT else int(value)
