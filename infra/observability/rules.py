"""The rules file of the stack's Prometheus: burn rates, and what the platform itself should be woken for."""

from __future__ import annotations

from typing import Any

import yaml

from infra.manifests import SERVICE_NAMESPACE
from infra.observability.slo_rules import INTERVAL_S, slo_rules
from tidegate.models.slo import Slo

QUEUE_AGE_S = 300.0
"""Age of the oldest undecided order that is worth a page where no objective says: half of what makes the
service refuse orders (`TIDEGATE_QUEUE_AGE_LIMIT_S`)."""


def rules_text(slo: Slo) -> str:
    """Return the text of rules.yml.

    Raises:
        TidegateError: an objective cannot be measured, see `slo_rules`.
    """
    groups = [*slo_rules(slo), {"name": "platform", "interval": f"{INTERVAL_S}s", "rules": _platform(slo)}]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=1000)


def _alert(name: str, expr: str, wait: str, severity: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def _platform(slo: Slo) -> list[dict[str, Any]]:
    oldest_s = QUEUE_AGE_S if slo.queue_age_max_s is None else slo.queue_age_max_s
    here = f'namespace="{SERVICE_NAMESPACE}"'
    autoscaler = "on (namespace, horizontalpodautoscaler)"
    return [
        _alert(
            "ServiceSilent",
            'absent(up{job="service",container="web"} == 1)',
            "2m",
            "page",
            "No web pod answers Prometheus",
            "Without its figures no burn rate can be told either.",
        ),
        _alert(
            "QueueOld",
            f'max(tidegate_queue_age_seconds{{job="service"}}) > {oldest_s:g}',
            "1m",
            "page",
            "Orders wait too long to be decided",
            "The oldest waits for {{ $value | humanizeDuration }}. More workers, or see why they fail.",
        ),
        _alert(
            "QueueUnmeasured",
            'absent(tidegate_queue_age_seconds{job="service"})',
            "5m",
            "ticket",
            "No worker reports the queue",
            "No worker runs, or none reaches the database.",
        ),
        _alert(
            "DeadLetters",
            'max(tidegate_dead_letters{job="service"}) > 0',
            "1m",
            "ticket",
            "Orders were set aside as undecidable",
            "{{ $value }} of them; `python -m app.dead list` in a worker says why.",
        ),
        _alert(
            "AutoscalerAtMaximum",
            f"kube_horizontalpodautoscaler_status_desired_replicas{{{here}}} "
            f">= {autoscaler} kube_horizontalpodautoscaler_spec_max_replicas{{{here}}}",
            "15m",
            "ticket",
            "{{ $labels.horizontalpodautoscaler }} is at its maximum",
            "Further load cannot be met by scaling: raise max_replicas in the policy, or find out why.",
        ),
        _alert(
            "PodNotReady",
            f'kube_pod_status_ready{{{here},condition="true"}} == 0 and on (namespace, pod) '
            # A migration that has run to its end is not ready either, and need not be.
            f'kube_pod_status_phase{{{here},phase=~"Pending|Running|Unknown"}} == 1',
            "10m",
            "ticket",
            "Pod {{ $labels.pod }} is not ready",
            "For ten minutes; `kubectl describe pod` tells its conditions and events.",
        ),
    ]
