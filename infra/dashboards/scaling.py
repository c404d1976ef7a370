"""The autoscaler: what it wants, what there is, and the CPU that it looks at."""

from __future__ import annotations

from infra.dashboards.grafana import Dashboard, Panel, Query, Row, Variable

_HERE = 'namespace="$namespace"'
_RATE = "[$__rate_interval]"
_HPA = "kube_horizontalpodautoscaler"


def _replicas() -> Row:
    wanted = {"desired": f"{_HPA}_status_desired_replicas", "current": f"{_HPA}_status_current_replicas"}
    bounds = {"minimum": f"{_HPA}_spec_min_replicas", "maximum": f"{_HPA}_spec_max_replicas"}
    return Row(
        "Replicas",
        [
            Panel(
                "Autoscaler",
                "Desired at the maximum for long means that load cannot be met. Alert: AutoscalerAtMaximum.",
                [
                    Query(f"{metric}{{{_HERE}}}", f"{{{{horizontalpodautoscaler}}}} {word}")
                    for word, metric in (wanted | bounds).items()
                ],
            ),
            Panel(
                "Deployments",
                "Replicas asked for and available: what lies between them is starting, or cannot.",
                [
                    Query(f"kube_deployment_spec_replicas{{{_HERE}}}", "{{deployment}} asked for"),
                    Query(
                        f"kube_deployment_status_replicas_available{{{_HERE}}}", "{{deployment}} available"
                    ),
                ],
            ),
            Panel(
                "Pods",
                "By phase, those that are ready, and restarts in the last quarter of an hour.",
                [
                    Query(f"sum by (phase) (kube_pod_status_phase{{{_HERE}}})", "{{phase}}"),
                    Query(f'sum(kube_pod_status_ready{{{_HERE},condition="true"}})', "ready"),
                    Query(
                        f"sum(increase(kube_pod_container_status_restarts_total{{{_HERE}}}[15m]))", "restarts"
                    ),
                ],
            ),
        ],
    )


def _cpu() -> Row:
    used = f"sum by (container) (rate(container_cpu_usage_seconds_total{{{_HERE}}}{_RATE}))"
    asked = f'sum by (container) (kube_pod_container_resource_requests{{{_HERE},resource="cpu"}})'
    throttled = f"rate(container_cpu_cfs_throttled_periods_total{{{_HERE}}}{_RATE})"
    periods = f"rate(container_cpu_cfs_periods_total{{{_HERE}}}{_RATE})"
    return Row(
        "What it looks at",
        [
            Panel(
                "CPU of the request",
                "Use over what was requested, by container: the autoscaler compares it with its target.",
                [Query(f"{used} / on (container) {asked}", "{{container}}")],
                "percentunit",
            ),
            Panel(
                "Throttling",
                "Share of the scheduler's periods in which a container was held back by its CPU limit.",
                [
                    Query(
                        f"sum by (container) ({throttled}) / sum by (container) ({periods})", "{{container}}"
                    )
                ],
                "percentunit",
                top=1,
            ),
            Panel(
                "Memory",
                "Working set of each pod's container; at its limit it is killed.",
                [Query(f"container_memory_working_set_bytes{{{_HERE}}}", "{{pod}}")],
                "bytes",
            ),
        ],
    )


SCALING = Dashboard(
    "scaling",
    "Tidegate / Scaling",
    [Variable("namespace", f"{_HPA}_spec_max_replicas", "namespace")],
    [_replicas(), _cpu()],
)
