"""What would make a deployment fail late, asked before anything is fetched or built."""

from __future__ import annotations

from tidegate.errors import TidegateError
from tidegate.host.checks.ports import api_port_check, gateway_port_check
from tidegate.host.checks.resources import memory_check
from tidegate.host.facts import Facts, Wanted
from tidegate.host.paths import cluster_dir
from tidegate.host.report import Check, Outcome

_DEADLINE_S = 20.0


def require_room(*, cluster_name: str, gateway_port: int, api_port: int | None) -> None:
    """Refuse a machine that lacks the memory, has a port taken, or has another's cluster of that name.

    Our own cluster may be there, with its memory and ports.

    Raises:
        TidegateError: what lacks, with its cure.
    """
    facts = Facts(Wanted(cluster_name, gateway_port, api_port), deadline_s=_DEADLINE_S)
    if facts.cluster_nodes() and not cluster_dir(cluster_name).is_dir():
        raise TidegateError(
            f"a kind cluster named {cluster_name} runs that this installation did not make",
            cure=f"choose another tidegate:cluster name, or `kind delete cluster --name {cluster_name}`",
        )
    refuse([*memory_check(facts), gateway_port_check(facts), *api_port_check(facts)])


def refuse(checks: list[Check]) -> None:
    """Raise for the first check that failed.

    Raises:
        TidegateError: in that check's words.
    """
    for check in checks:
        if check.outcome is Outcome.FAIL:
            raise TidegateError(f"{check.name}: {check.found}", cure=check.cure)
