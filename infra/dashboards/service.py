"""The web pods: rate, errors and duration by route, the error budgets, caches, limits, and each process."""

from __future__ import annotations

from infra.dashboards.grafana import Dashboard, Panel, Query, Row, Variable

_JOB = 'job="$job"'
_RATE = "[$__rate_interval]"


def _quantile(percent: int, histogram: str, by: str) -> Query:
    buckets = f"sum by (le, {by}) (rate({histogram}_bucket{{{_JOB}}}{_RATE}))"
    return Query(f"histogram_quantile({percent / 100:g}, {buckets})", f"p{percent} {{{{{by}}}}}")


def _red() -> Row:
    requests = f"http_requests_total{{{_JOB}}}{_RATE}"
    failed = f'http_requests_total{{{_JOB},status=~"5.."}}{_RATE}'
    return Row(
        "Requests",
        [
            Panel(
                "Rate",
                "Requests answered, by route template.",
                [Query(f"sum by (method, route) (rate({requests}))", "{{method}} {{route}}")],
                "reqps",
                stacked=True,
            ),
            Panel(
                "Errors",
                "Share of requests answered with a 5xx. Refusals (4xx) are not errors of the service.",
                [
                    Query(
                        f"sum by (route) (rate({failed})) / on (route) sum by (route) (rate({requests}))",
                        "{{route}}",
                    )
                ],
                "percentunit",
            ),
            Panel(
                "Duration",
                "From the request's first byte in the pod to its last byte out; a caller waits longer.",
                [_quantile(percent, "http_request_duration_seconds", "route") for percent in (50, 95, 99)],
                "s",
            ),
        ],
    )


def _budgets() -> Row:
    return Row(
        "Error budgets",
        [
            Panel(
                "Bad requests",
                "Share that broke the objective, over the alerts' long windows. Alerts: ErrorBudgetBurn.",
                [
                    Query(f"slo:bad_requests:ratio{window}", f"{{{{slo}}}} {window}")
                    for window in ("1h", "6h", "3d")
                ],
                "percentunit",
            ),
            Panel(
                "Answers",
                "By status; 429 is the rate limit, 503 shedding or an absent database.",
                [Query(f"sum by (status) (rate(http_requests_total{{{_JOB}}}{_RATE}))", "{{status}}")],
                "reqps",
                stacked=True,
            ),
            Panel(
                "In flight",
                "Requests being answered, and streams of order updates being held.",
                [
                    Query(f"sum(http_requests_in_progress{{{_JOB}}})", "requests"),
                    Query(f"sum(tidegate_streams_open{{{_JOB}}})", "streams"),
                ],
            ),
        ],
    )


def _layers() -> Row:
    lookups = "tidegate_cache_lookups_total"
    hits = f'sum by (layer) (rate({lookups}{{{_JOB},result=~"hit|stale|joined"}}{_RATE}))'
    return Row(
        "Caches and limits",
        [
            Panel(
                "Hit ratio",
                "By layer, of the lookups that reached it.",
                [Query(f"{hits} / sum by (layer) (rate({lookups}{{{_JOB}}}{_RATE}))", "{{layer}}")],
                "percentunit",
                top=1,
            ),
            Panel(
                "Lookups",
                "By layer and what came of them; `away` is Redis not answering.",
                [Query(f"sum by (layer, result) (rate({lookups}{{{_JOB}}}{_RATE}))", "{{layer}} {{result}}")],
                "ops",
            ),
            Panel(
                "Rate limits",
                "By use and outcome; local, open and closed are what happens without Redis.",
                [
                    Query(
                        f"sum by (use, result) (rate(tidegate_rate_limit_total{{{_JOB}}}{_RATE}))",
                        "{{use}} {{result}}",
                    )
                ],
                "ops",
            ),
        ],
    )


def _database() -> Row:
    return Row(
        "Database connections",
        [
            Panel(
                "Pool",
                "Connections that requests hold, of those they may hold. Near the top, requests wait.",
                [
                    Query(f"sum by (pod) (tidegate_db_connections_in_use{{{_JOB}}})", "{{pod}}"),
                    Query(f"max(tidegate_db_pool_size{{{_JOB}}})", "size"),
                ],
            ),
            Panel(
                "Wait",
                "For a free connection, a new one, or proof that an old one lives.",
                [_quantile(95, "tidegate_db_connection_wait_seconds", "pod")],
                "s",
            ),
        ],
    )


def _process() -> Row:
    return Row(
        "Processes",
        [
            Panel(
                "Event-loop lag",
                "How late the loop wakes a sleeper: what every request waits for its turn. Workers included.",
                [_quantile(99, "tidegate_event_loop_lag_seconds", "pod")],
                "s",
            ),
            Panel(
                "Garbage collector",
                "Share of time in collections, by generation.",
                [
                    Query(
                        f"max by (generation) (rate(tidegate_gc_pause_seconds_total{{{_JOB}}}{_RATE}))",
                        "generation {{generation}}",
                    )
                ],
                "percentunit",
            ),
            Panel(
                "CPU",
                "Cores used, as the process counts them.",
                [Query(f"sum by (pod) (rate(process_cpu_seconds_total{{{_JOB}}}{_RATE}))", "{{pod}}")],
            ),
            Panel(
                "Memory",
                "Resident; with several processes in a pod, the sum of their peaks.",
                [Query(f"sum by (pod) (process_resident_memory_bytes{{{_JOB}}})", "{{pod}}")],
                "bytes",
            ),
        ],
    )


SERVICE = Dashboard(
    "service",
    "Tidegate / Service",
    [Variable("job", "tidegate_event_loop_lag_seconds_count", "job")],
    [_red(), _budgets(), _layers(), _database(), _process()],
)
