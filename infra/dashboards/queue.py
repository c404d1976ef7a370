"""Version 2 orders: how many wait, how long, and what becomes of them."""

from __future__ import annotations

from infra.dashboards.grafana import Dashboard, Panel, Query, Row, Variable

_JOB = 'job="$job"'
_RATE = "[$__rate_interval]"


def _latest() -> Row:
    # Every worker reports the same figures, so the largest is the figure.
    return Row(
        "Now",
        [
            Panel(
                "Waiting",
                "Orders undecided.",
                [Query(f"max(tidegate_queue_depth{{{_JOB}}})", "")],
                kind="stat",
            ),
            Panel(
                "Oldest",
                "Age of the oldest undecided order. Alert: QueueOld.",
                [Query(f"max(tidegate_queue_age_seconds{{{_JOB}}})", "")],
                "s",
                kind="stat",
            ),
            Panel(
                "Dead letters",
                "Set aside as undecidable: `python -m app.dead list` says why. Alert: DeadLetters.",
                [Query(f"max(tidegate_dead_letters{{{_JOB}}})", "")],
                kind="stat",
            ),
        ],
        height=4,
    )


def _time() -> Row:
    fraud = f"sum by (le) (rate(tidegate_fraud_check_cpu_seconds_bucket{{{_JOB}}}{_RATE}))"
    return Row(
        "Over time",
        [
            Panel(
                "Orders",
                "Taken (pending) and decided. Where more are taken than decided the queue grows.",
                [
                    Query(
                        f"sum by (version, status) (rate(tidegate_orders_total{{{_JOB}}}{_RATE}))",
                        "{{version}} {{status}}",
                    )
                ],
                "ops",
            ),
            Panel(
                "Depth and age",
                "Of the queue, as the database knows it.",
                [
                    Query(f"max(tidegate_queue_depth{{{_JOB}}})", "orders"),
                    Query(f"max(tidegate_queue_age_seconds{{{_JOB}}})", "seconds"),
                ],
            ),
            Panel(
                "Fraud check",
                "CPU seconds of one check, and cores spent on all of them.",
                [
                    Query(f"histogram_quantile(0.95, {fraud})", "p95 of one"),
                    Query(
                        f"sum by (container) (rate(tidegate_fraud_check_cpu_seconds_sum{{{_JOB}}}{_RATE}))",
                        "cores {{container}}",
                    ),
                ],
            ),
        ],
    )


QUEUE = Dashboard(
    "queue",
    "Tidegate / Queue",
    [Variable("job", "tidegate_queue_depth", "job")],
    [_latest(), _time()],
)
