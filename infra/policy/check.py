"""Apply the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from infra.manifests import Manifest
from infra.policy import access, pods, scaling
from infra.policy.violation import Violation
from tidegate.errors import TidegateError

Rule = Callable[[Sequence[Manifest]], Iterator[Violation]]

RULES: Mapping[str, Rule] = {
    "pod-security": pods.pod_security,
    "read-only-root": pods.read_only_root,
    "resources": pods.resources,
    "probes": pods.probes,
    "image-tag": pods.image_tags,
    "service-account-token": pods.service_account_tokens,
    "hpa-owns-replicas": scaling.hpa_owns_replicas,
    "disruption-budget": scaling.disruption_budget,
    "default-deny": access.default_deny,
    "rbac-wildcard": access.no_wildcards,
}
"""The rules by name. A rule sees all objects of a layer, since some are about two of them."""

_NODE_AGENTS = frozenset({"DaemonSet kube-system/flannel", "DaemonSet kube-system/kube-router"})
_INJECTOR = frozenset({"DaemonSet chaos-mesh/chaos-daemon"})

EXEMPT: Mapping[str, frozenset[str]] = {
    # Both write the node's routes and firewall, for which they need its network and root. The injector
    # enters other containers' namespaces and cgroups; it is there only where a stack asks for faults.
    "pod-security": _NODE_AGENTS | _INJECTOR,
    # The official images set links to iptables' back end at their first start; the injector keeps locks and
    # pipes of its stressors in places of its own.
    "read-only-root": _NODE_AGENTS | _INJECTOR,
    # It only holds room: it has no port, no shell, and nothing that could hang.
    "probes": frozenset({"Deployment tidegate/tidegate-headroom"}),
}
"""For a rule, the objects it does not hold for; every one with its reason."""


def check(manifests: Sequence[Manifest], *, exempt: Mapping[str, frozenset[str]] = EXEMPT) -> list[Violation]:
    """Return what breaks a rule in `manifests`, the objects of one layer."""
    return [
        found
        for name, rule in RULES.items()
        for found in rule(manifests)
        if found.subject not in exempt.get(name, frozenset())
    ]


def enforce(manifests: Sequence[Manifest]) -> None:
    """Refuse `manifests` when any of them breaks a rule.

    Raises:
        TidegateError: naming the first violation, and how many there are.
    """
    found = check(manifests)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise TidegateError(f"an object breaks a rule of infra/policy: {found[0]}{more}")
