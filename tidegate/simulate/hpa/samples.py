"""From the metrics APIs' answers to one number a pod (pkg/controller/podautoscaler/metrics/client.go)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidegate.simulate.hpa.arithmetic import wrap_int64
from tidegate.simulate.hpa.pods import Pod, PodUsage


class InvalidMetricError(Exception):
    """A metric from which no number of replicas follows; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One pod's number."""

    value: int
    t_ns: int = 0
    window_ns: int = 0


def resource_samples(
    pods: Iterable[Pod], strays: Mapping[str, PodUsage], resource: str, container: str | None
) -> dict[str, Sample]:
    """Return the milli-usage of `resource` by pod; pods without it are absent.

    With a container it is that container's alone (client.go:85-108), else the pod's whole, and absent as soon
    as one container lacks it (client.go:110-133).

    Raises:
        InvalidMetricError: no pod has metrics at all.
    """
    measured = [*strays.items(), *((pod.name, pod.usage) for pod in pods if pod.usage is not None)]
    if not measured:
        raise InvalidMetricError(
            f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API"
        )
    return {
        name: Sample(value, usage.t_ns, usage.window_ns)
        for name, usage in measured
        if (value := _amount(usage, resource, container)) is not None
    }


def custom_samples(metrics: Mapping[str, Mapping[str, int]], name: str) -> dict[str, Sample]:
    """Return the values of the pods' metric `name`.

    Raises:
        InvalidMetricError: there is no value.
    """
    values = metrics.get(name)
    if not values:
        raise InvalidMetricError(f"unable to get metric {name}: no metrics returned from custom metrics API")
    return {pod: Sample(value) for pod, value in values.items()}


def _amount(usage: PodUsage, resource: str, container: str | None) -> int | None:
    if container is not None:
        for part in usage.containers:
            if part.name == container:
                return part.usage_milli.get(resource)
        return None
    if not usage.containers:
        return None
    total = 0
    for part in usage.containers:
        value = part.usage_milli.get(resource)
        if value is None:
            return None
        total = wrap_int64(total + value)
    return total
