"""What the pods request of a resource (replica_calculator.go:468-545)."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.simulate.hpa.arithmetic import wrap_int64
from tidegate.simulate.hpa.pods import Pod
from tidegate.simulate.hpa.release import Release
from tidegate.simulate.hpa.samples import InvalidMetricError


def requests_by_pod(
    pods: Iterable[Pod], resource: str, container: str | None, release: Release
) -> dict[str, int]:
    """Return the milli-request of `resource` by pod, or of `container` in each pod.

    Raises:
        InvalidMetricError: a pod lacks the request, whichever group it is in.
    """
    return {pod.name: _request(pod, resource, container, release) for pod in pods}


def _request(pod: Pod, resource: str, container: str | None, release: Release) -> int:
    if container is None and release.pod_level_requests and any(map(_pod_level, pod.pod_requests_milli)):
        return _whole_pod(pod, resource)
    total, found = 0, False
    for part in pod.containers:
        if container is not None and part.name != container:
            continue
        found = True
        if resource not in part.requests_milli:
            raise InvalidMetricError(
                f"missing request for {resource} in container {part.name} of Pod {pod.name}"
            )
        total = wrap_int64(total + part.requests_milli[resource])
    if container is not None and not found and release.absent_container_fails:
        raise InvalidMetricError(f"container {container} not found in Pod {pod.name}")
    return total


def _pod_level(resource: str) -> bool:
    """Whether a pod as a whole can request it (component-helpers resource/helpers.go:67-78)."""
    return resource in {"cpu", "memory"} or resource.startswith("hugepages-")


def _whole_pod(pod: Pod, resource: str) -> int:
    """Return the pod's own request, or where it sets only other resources, that of its containers.

    Then ordinary init containers count too, if one takes more than all the others together
    (component-helpers resource/helpers.go, AggregateContainerRequests).
    """
    if resource in pod.pod_requests_milli:
        return pod.pod_requests_milli[resource]
    parts = [part.requests_milli[resource] for part in pod.containers if resource in part.requests_milli]
    starting = pod.init_requests_milli.get(resource)
    if starting is not None:
        return max(wrap_int64(sum(parts)), starting)
    if not parts:
        raise InvalidMetricError(f"missing pod-level request for {resource} in Pod {pod.name}")
    return wrap_int64(sum(parts))
