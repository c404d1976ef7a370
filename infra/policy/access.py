"""Rules about who may reach what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.manifests import Manifest
from infra.policy.shape import items, of_kind, section, subject
from infra.policy.violation import Violation


def default_deny(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """Every namespace of ours has a policy under which no pod may talk, in or out, until allowed."""
    closed = {
        section(each, "metadata").get("namespace")
        for each in of_kind(manifests, "NetworkPolicy")
        if section(each, "spec") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    }
    for each in of_kind(manifests, "Namespace"):
        if section(each, "metadata")["name"] not in closed:
            yield Violation("default-deny", subject(each), "has no NetworkPolicy that denies by default")


def no_wildcards(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """A role names the groups, resources and verbs it gives."""
    for each in of_kind(manifests, "Role", "ClusterRole"):
        for rule in items(each, "rules"):
            for key in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
                if any("*" in str(word) for word in rule.get(key) or ()):
                    yield Violation("rbac-wildcard", subject(each), f"{key} has a wildcard")
