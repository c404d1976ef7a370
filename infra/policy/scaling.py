"""Rules about what an autoscaler owns and what an eviction may take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.manifests import Manifest
from infra.policy.shape import Section, of_kind, same_place, section, subject
from infra.policy.violation import Violation


def hpa_owns_replicas(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """A workload that an autoscaler targets names no replicas: every deployment would reset them."""
    for hpa, target in _targets(manifests):
        if "replicas" in section(target, "spec"):
            detail = f"names replicas, which {subject(hpa)} owns"
            yield Violation("hpa-owns-replicas", subject(target), detail)


def disruption_budget(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """An autoscaled workload has a budget by maxUnavailable 1.

    A minAvailable equal to the autoscaler's floor allows no eviction there: no node could be drained.
    """
    for _, target in _targets(manifests):
        budgets = [each for each in of_kind(manifests, "PodDisruptionBudget") if _covers(each, target)]
        if not budgets:
            yield Violation("disruption-budget", subject(target), "has no PodDisruptionBudget")
        for budget in budgets:
            if section(budget, "spec").get("maxUnavailable") != 1:
                yield Violation("disruption-budget", subject(budget), "is not maxUnavailable: 1")


def _targets(manifests: Sequence[Manifest]) -> Iterator[tuple[Manifest, Manifest]]:
    for hpa in of_kind(manifests, "HorizontalPodAutoscaler", "ScaledObject"):
        aim = section(hpa, "spec", "scaleTargetRef")
        for each in manifests:
            named = (each["kind"], section(each, "metadata").get("name")) == (aim["kind"], aim["name"])
            if named and same_place(each, hpa):
                yield hpa, each


def _covers(budget: Manifest, workload: Manifest) -> bool:
    labels = section(workload, "spec", "template", "metadata", "labels")
    wanted: Section = section(budget, "spec", "selector", "matchLabels")
    return same_place(budget, workload) and bool(wanted) and wanted.items() <= labels.items()
