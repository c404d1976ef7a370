"""Which pods' numbers count (replica_calculator.go:422-466)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidegate.simulate.hpa.pods import Pod, Ready
from tidegate.simulate.hpa.samples import Sample
from tidegate.simulate.hpa.spec import Controller


@dataclass(frozen=True, slots=True)
class Groups:
    """The pods by what their metric is worth; every pod is in exactly one group."""

    ready: tuple[str, ...]
    unready: tuple[str, ...]
    """Their number is not used; when scaling up they count as using nothing."""
    missing: tuple[str, ...]
    """Without a number; one is assumed against the direction of the change."""
    ignored: tuple[str, ...]
    """Deleting or failed: as if they were not there."""


def group_pods(
    pods: Iterable[Pod], samples: Mapping[str, Sample], *, cpu: bool, controller: Controller, now_ns: int
) -> Groups:
    """Return the pods in groups. The order of the rules matters; readiness matters for CPU alone."""
    ready, unready, missing, ignored = list[str](), list[str](), list[str](), list[str]()
    for pod in pods:
        if pod.deleting or pod.phase == "Failed":
            ignored.append(pod.name)
        elif pod.phase == "Pending":
            unready.append(pod.name)
        elif (sample := samples.get(pod.name)) is None:
            missing.append(pod.name)
        elif cpu and not _settled(pod, sample, controller, now_ns):
            unready.append(pod.name)
        else:
            ready.append(pod.name)
    return Groups(tuple(ready), tuple(unready), tuple(missing), tuple(ignored))


def _settled(pod: Pod, sample: Sample, controller: Controller, now_ns: int) -> bool:
    """Whether the CPU of a pod is that of its work and not of its start."""
    if pod.ready is Ready.ABSENT or pod.started_ns is None:
        return False
    if pod.started_ns + controller.cpu_initialization_ns > now_ns:
        whole_window_since = sample.t_ns >= pod.ready_since_ns + sample.window_ns
        return pod.ready is not Ready.FALSE and whole_window_since
    never_ready = pod.ready_since_ns < pod.started_ns + controller.initial_readiness_delay_ns
    return not (pod.ready is Ready.FALSE and never_ready)
