"""Alerts on the rate at which an error budget is spent, from the objectives themselves.

Windows and factors are those of the Google SRE Workbook, chapter 5, "multiwindow, multi-burn-rate alerts":
long window says that it matters, the short one that it goes on. Of a budget for 30 days 14.4 spends 2 % in an
hour, 6 spends 5 % in six hours, 3 spends 10 % in a day and 1 spends 10 % in three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from tidegate.errors import TidegateError
from tidegate.models.slo import LatencyObjective, Slo

INTERVAL_S = 30
"""Seconds between two evaluations of the rules."""

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0)
"""Upper bounds, in seconds, of the service's histogram of request times."""

Rule = dict[str, Any]


@dataclass(frozen=True)
class Burn:
    """One row of the Workbook's table.

    Args:
        factor: how many times as fast as the objective allows the budget is spent.
        long: window over which that must hold.
        short: window over which it must still hold; a twelfth of the long one.
        severity: `page` wakes somebody, `ticket` waits for the morning.
    """

    factor: float
    long: str
    short: str
    severity: Literal["page", "ticket"]


BURNS = (
    Burn(14.4, "1h", "5m", "page"),
    Burn(6, "6h", "30m", "page"),
    Burn(3, "1d", "2h", "ticket"),
    Burn(1, "3d", "6h", "ticket"),
)

_BASE = "5m"
"""The window that rates are taken over; wider ones are sums of what was recorded, not of every sample."""


@dataclass(frozen=True)
class Objective:
    """One promise as two rates.

    Args:
        name: value of the label `slo`.
        budget: ratio of requests that may be bad.
        bad: PromQL, requests a second that break the promise.
        total: PromQL, requests a second that it is about.
        says: the promise in words.
    """

    name: str
    budget: float
    bad: str
    total: str
    says: str


def objectives(slo: Slo) -> list[Objective]:
    """Return the promises that can be judged at the pods: availability and each latency objective.

    Raises:
        TidegateError: a latency threshold is below every bucket that the service counts in.
    """
    requests = f'http_requests_total{{job="service"}}[{_BASE}]'
    failed = f'http_requests_total{{job="service",status=~"5.."}}[{_BASE}]'
    available = Objective(
        "availability",
        _share(100 - slo.availability_percent),
        # Without a single failure so far there is no such series.
        f"sum(rate({failed})) or vector(0)",
        f"sum(rate({requests}))",
        f"{slo.availability_percent:g} % of requests are answered without a 5xx",
    )
    return [available, *(_latency(each) for each in slo.latency)]


def _latency(objective: LatencyObjective) -> Objective:
    limit_s = objective.threshold_ms / 1000
    # The largest bucket that is not above the threshold: what lies between the two counts as slow.
    bound_s = max((bound for bound in BUCKETS_S if bound <= limit_s), default=None)
    if bound_s is None:
        raise TidegateError(
            f"a threshold of {objective.threshold_ms:g} ms is below what the service's histogram can tell",
            where=f"tidegate:slo latency {objective.route_group}",
            cure=f"raise it to {BUCKETS_S[0] * 1000:g} ms or more",
        )

    def rates(series: str, more: str = "") -> str:
        selectors: list[str] = []
        for template in objective.routes:
            method, _, route = template.partition(" ")
            selectors.append(
                f'rate({series}{{job="service",method="{method}",route="{route}"{more}}}[{_BASE}])'
            )
        return f"sum({' or '.join(selectors)})"

    total = rates("http_request_duration_seconds_count")
    fast = rates("http_request_duration_seconds_bucket", f',le="{bound_s}"')
    return Objective(
        f"latency-{objective.route_group}-p{objective.percentile:g}",
        _share(100 - objective.percentile),
        f"{total} - {fast}",
        total,
        f"{objective.percentile:g} % of {objective.route_group} take at most {bound_s:g} s in the pod",
    )


def slo_rules(slo: Slo) -> list[dict[str, Any]]:
    """Return the groups of recording and alerting rules that follow from the objectives.

    Raises:
        TidegateError: see `objectives`.
    """
    wanted = objectives(slo)
    return [
        {
            "name": "slo-recording",
            "interval": f"{INTERVAL_S}s",
            "rules": [rule for each in wanted for rule in _recorded(each)],
        },
        {
            "name": "slo-alerts",
            "interval": f"{INTERVAL_S}s",
            "rules": [rule for each in wanted for rule in _alerts(each, slo.min_requests)],
        },
    ]


def possible(objective: Objective) -> list[Burn]:
    """Return the rows that can come true: half of all requests cannot be bad 14 times over."""
    return [burn for burn in BURNS if burn.factor * objective.budget < 1]


def _recorded(objective: Objective) -> Iterator[Rule]:
    def record(name: str, expr: str) -> Rule:
        return {"record": name, "expr": expr, "labels": {"slo": objective.name}}

    chosen = f'{{slo="{objective.name}"}}'
    yield record("slo:bad_requests:rate5m", objective.bad)
    yield record("slo:requests:rate5m", objective.total)
    for window in sorted({window for burn in BURNS for window in (burn.long, burn.short)}, key=_seconds):
        bad, total = f"slo:bad_requests:rate5m{chosen}", f"slo:requests:rate5m{chosen}"
        if window != _BASE:
            bad, total = f"sum_over_time({bad}[{window}])", f"sum_over_time({total}[{window}])"
        yield record(f"slo:bad_requests:ratio{window}", f"{bad} / {total}")
    for burn in BURNS:
        counted = f"sum_over_time(slo:requests:rate5m{chosen}[{burn.long}]) * {INTERVAL_S}"
        yield record(f"slo:requests:count{burn.long}", counted)


def _alerts(objective: Objective, min_requests: int) -> Iterator[Rule]:
    chosen = f'{{slo="{objective.name}"}}'
    for burn in possible(objective):
        limit = f"{_share(100 * burn.factor * objective.budget):.10g}"
        yield {
            "alert": "ErrorBudgetBurn",
            "expr": f"slo:bad_requests:ratio{burn.long}{chosen} > {limit} "
            f"and slo:bad_requests:ratio{burn.short}{chosen} > {limit} "
            # A handful of requests spends any budget; the verdict does not rest on fewer either.
            f"and slo:requests:count{burn.long}{chosen} >= {min_requests}",
            "labels": {"severity": burn.severity, "window": burn.long},
            "annotations": {
                "summary": f"{objective.name}: the error budget goes {burn.factor:g} times too fast",
                "description": f"Over {burn.long} and {burn.short}, {{{{ $value | humanizePercentage }}}} of "
                f"requests broke the objective that {objective.says}.",
            },
        }


def _share(percent: float) -> float:
    """A ratio, without the noise of binary subtraction: 100 - 99.9 is 0.1."""
    return round(percent / 100, 9)


def _seconds(window: str) -> int:
    return int(window[:-1]) * {"m": 60, "h": 3600, "d": 86_400}[window[-1]]
