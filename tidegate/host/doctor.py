"""Look at this machine: can it do what the kit needs, and if not, what is the cure."""

from __future__ import annotations

import time

from tidegate.errors import TidegateError
from tidegate.host.checks import CHECKS, CheckFunction
from tidegate.host.facts import Facts, Wanted
from tidegate.host.pending import Pending
from tidegate.host.report import Check, DoctorReport, Outcome

DEADLINE_S = 9.0
"""Everything together takes no longer."""
_GROUPS = ("system", "engine", "kernel", "resources", "ports", "tools", "network")


def run_doctor(
    *,
    cluster_name: str = "tidegate",
    gateway_port: int = 8080,
    api_port: int | None = None,
    deadline_s: float = DEADLINE_S,
) -> DoctorReport:
    """Run every check at once and report what they found. Changes nothing, and never raises for a check.

    Args:
        cluster_name: kind's name of our cluster, whose ports and memory are ours.
        gateway_port: port on 127.0.0.1 for requests.
        api_port: port on 127.0.0.1 for the cluster's API; None if any free one will do.
        deadline_s: seconds after which a check that has not ended counts as a warning.
    """
    began_s = time.monotonic()
    facts = Facts(Wanted(cluster_name, gateway_port, api_port), deadline_s=deadline_s - 0.5)
    running = [(function, _start(function, facts)) for function in CHECKS]
    found: list[Check] = []
    for function, pending in running:
        found.extend(_collect(function, pending, began_s + deadline_s - time.monotonic()))
    found.sort(key=lambda check: _GROUPS.index(check.group))
    return DoctorReport(checks=tuple(found), took_s=round(time.monotonic() - began_s, 2))


def _start(function: CheckFunction, facts: Facts) -> Pending[Check | list[Check]]:
    return Pending(lambda: function(facts))


def _collect(function: CheckFunction, pending: Pending[Check | list[Check]], left_s: float) -> list[Check]:
    group = function.__module__.rpartition(".")[2]
    name = function.__name__.removesuffix("_checks").removesuffix("_check").replace("_", " ")
    try:
        result = pending.get(left_s)
    except TimeoutError:
        told = "did not end in time"
    except (TidegateError, OSError, ValueError) as error:
        told = f"could not be looked at: {error}"
    else:
        return result if isinstance(result, list) else [result]
    return [Check(group=group, name=name, outcome=Outcome.WARN, found=told)]
