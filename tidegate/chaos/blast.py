"""What an experiment may hit, computed before anything is touched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.chaos.experiment import Experiment, Fault
from tidegate.run.objects import dig, text
from tidegate.run.pods import is_ready


@dataclass(frozen=True)
class Radius:
    """The reach of one experiment.

    Args:
        pods: names of the pods that may be chosen.
        most: most of them that are hit at once.
        ready: how many of those pods are Ready now.
        beyond: what else is out of reach or gone meanwhile.
        lasts_s: seconds until it is over.
        expires_s: seconds after which it ends even if nobody ends it.
    """

    pods: tuple[str, ...]
    most: int
    ready: int
    beyond: tuple[str, ...]
    lasts_s: float
    expires_s: float

    def lines(self) -> list[str]:
        """Return it in plain sentences."""
        listed = ", ".join(self.pods) or "none"
        return [
            f"may choose from {len(self.pods)} pods ({self.ready} Ready): {listed}",
            f"hits at most {self.most} of them at once",
            *self.beyond,
            f"lasts {self.lasts_s:g} s; ends by itself after {self.expires_s:g} s at the latest",
        ]

    @property
    def share_percent(self) -> float:
        """Share of the eligible pods that may be hit at once, percent."""
        return 100 * self.most / len(self.pods) if self.pods else 0.0


def radius(experiment: Experiment, pods: Sequence[Mapping[str, Any]], node: str = "") -> Radius:
    """Return the reach of `experiment` on these pods of its namespace.

    Args:
        experiment: what is planned.
        pods: every pod of the service's namespace, as the API gives them.
        node: the node that would be stopped or drained, where one would.
    """
    eligible: dict[str, Mapping[str, Any]] = {}
    most, beyond = 0, list[str]()
    for fault in experiment.faults:
        chosen = [pod for pod in pods if _chosen(fault, pod, node)]
        eligible |= {text(pod, "metadata", "name"): pod for pod in chosen}
        most += _most(fault, len(chosen))
        beyond += _beyond(fault, node)
    if experiment.kind == "Schedule":
        beyond.append("chooses anew each time, so that all of them may be hit one after another")
    return Radius(
        pods=tuple(sorted(eligible)),
        most=min(most, len(eligible)),
        ready=sum(is_ready(pod) for pod in eligible.values()),
        beyond=tuple(beyond),
        lasts_s=experiment.expires_s if experiment.kind == "Schedule" else _lasts_s(experiment.faults),
        expires_s=experiment.expires_s,
    )


def _lasts_s(faults: Iterable[Fault]) -> float:
    return max(0.0 if fault.at_once else fault.duration_s for fault in faults)


def _chosen(fault: Fault, pod: Mapping[str, Any], node: str) -> bool:
    if fault.kind == "HostFault":
        if fault.action == "replace-pod" or not text(pod, "spec", "nodeName") == node != "":
            return False
        return fault.action == "stop-node" or selected(pod, fault.spec["selector"])
    wanted: dict[str, str] = dig(fault.spec, "selector", "labelSelectors") or {}
    labels: dict[str, str] = dig(pod, "metadata", "labels") or {}
    return wanted.items() <= labels.items() and text(pod, "status", "phase") == "Running"


def selected(pod: Mapping[str, Any], selector: str) -> bool:
    """Whether a selector `name=value` finds a pod that still runs."""
    name, _, value = selector.partition("=")
    there = text(pod, "status", "phase") in ("Pending", "Running")
    return there and text(pod, "metadata", "labels", name) == value


def _most(fault: Fault, eligible: int) -> int:
    mode, value = str(fault.spec.get("mode", "all")), str(fault.spec.get("value", "0"))
    if mode == "one":
        return min(1, eligible)
    if mode == "fixed":
        return min(int(value), eligible)
    if mode == "fixed-percent":
        return math.floor(eligible * int(value) / 100)
    return eligible


def _beyond(fault: Fault, node: str) -> list[str]:
    if fault.action == "stop-node":
        return [f"stops the node {node or '(none that could be stopped)'}, whatever runs on it"]
    if fault.action == "drain-node":
        return [
            f"keeps new pods from the node {node or '(none that could be drained)'}",
            "evicts those pods there as their disruption budget allows, all of them where there is none",
        ]
    if fault.action == "replace-pod":
        return [f"deletes the pod {fault.spec['selector']} in namespace {fault.spec['namespace']}"]
    targets: list[str] = fault.spec.get("externalTargets") or []
    return [f"on the way to {name} and nothing else" for name in targets]
