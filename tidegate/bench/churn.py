"""Load a deployed service while its pods come and go, over and over, until enough requests were made."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.bench.churn_figures import ChurnFigures, ChurnRun, together
from tidegate.bench.churned import churn_run
from tidegate.bench.churning import Churning, Round
from tidegate.bench.floor import Floor, floors_kept, put_all_back, web_floor, worker_floor
from tidegate.bench.operations import Kind, Moved, Operations, times
from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.host.paths import kubeconfig_path
from tidegate.load.catalogue import plan_scenario
from tidegate.models.policy import Policy
from tidegate.observe.kubeconfig import load_kubeconfig
from tidegate.prepare import Site
from tidegate.prove.job import measure
from tidegate.prove.settle import Limits
from tidegate.run import RunReader

SCENARIO = "steady"
CPU_S_A_REQUEST = 0.015
"""What a request of the scenario costs the service (docs/load.md); only to choose the load from."""
_LATE_S = 60.0
"""Seconds beyond the load's own in which its scenario may still send: its start and its end."""
_REST_S = 420.0
"""Seconds the way to rest may take beyond the policy's own."""


@dataclass(frozen=True)
class Churn:
    """What is asked for.

    Args:
        high: web pods after a scale-out.
        low: web pods after a scale-in and during a rolling update.
        requests: fewest requests over all Runs.
        users: simulated users, each a request a second.
        run_s: seconds one load lasts.
        loop: closed or open.
    """

    high: int
    low: int
    requests: int
    users: int
    run_s: float
    loop: str = "closed"

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the scenario."""
        return {
            "steady_users": str(self.users),
            "steady_s": f"{self.run_s:g}",
            "rps": "1",
            "loop": self.loop,
            # Bounds that nothing but a mistake reaches.
            "max_requests": str(min(2_000_000, math.ceil(2 * self.users * self.run_s))),
            "max_duration_s": f"{self.run_s + _LATE_S:g}",
        }


def carried_rps(policy: Policy, replicas: int) -> float:
    """Return the requests a second that keep `replicas` web pods at the policy's target."""
    web = policy.web
    if web.hpa.metric == "rps":
        return replicas * web.hpa.rps_per_pod
    return replicas * web.cpu_request_m / 1000 * web.hpa.cpu_target_percent / 100 / CPU_S_A_REQUEST


def half_load(policy: Policy, low: int) -> int:
    """Return the users that are half of what `low` pods carry at the policy's target."""
    return max(1, math.floor(carried_rps(policy, low) / 2))


def require_policy(policy: Policy, wanted: Churn) -> None:
    """Refuse what cannot work under the policy.

    Raises:
        TidegateError: it allows no such numbers of pods, no scale-in, or the load would keep more pods.
    """
    hpa = policy.web.hpa
    where = "tidegate:policy.web.hpa"
    if not 1 <= wanted.low < wanted.high:
        raise TidegateError(f"--low {wanted.low} is not from 1 to below --high {wanted.high}")
    if wanted.high > hpa.max_replicas:
        raise TidegateError(
            f"--high {wanted.high} is above the policy's max_replicas {hpa.max_replicas}",
            where=f"{where}.max_replicas",
            cure="raise it and run `tidegate up`",
        )
    if hpa.scale_down.select_policy == "Disabled":
        raise TidegateError(
            "the policy never scales in", where=f"{where}.scale_down.select_policy", cure="use Max"
        )
    if hpa.metric == "rps" and wanted.users > carried_rps(policy, wanted.low):
        raise TidegateError(
            f"{wanted.users} requests a second keep more than {wanted.low} pods at {hpa.rps_per_pod:g} each",
            where=f"{where}.rps_per_pod",
            cure=f"at most --users {math.floor(carried_rps(policy, wanted.low))}, or raise it and run "
            "`tidegate up`",
        )
    expected = times(policy, wanted.high, wanted.low).expected
    least_s = max(expected.values())
    if wanted.run_s < least_s:
        raise TidegateError(
            f"a load of {wanted.run_s:g} s is shorter than a scale-in may take by the policy",
            where=f"{where}.scale_down",
            cure=f"--run-s {math.ceil(sum(expected.values()) + _LATE_S)}",
        )


def require_deployed(floor: Floor, policy: Policy, wanted: Churn) -> None:
    """Refuse a cluster that is not what the stack's file says.

    Raises:
        TidegateError: it is not, or the autoscaler is not there.
    """
    there, hpa = floor.look(), policy.web.hpa
    if there.least != hpa.min_replicas or there.most < wanted.high:
        raise TidegateError(
            f"deployed are {there.least} to {there.most} web pods, the stack's file says "
            f"{hpa.min_replicas} to {hpa.max_replicas}",
            where=floor.name,
            cure="run `tidegate up`",
        )


def earlier_runs(folders: Sequence[Path], policy: Policy) -> list[ChurnRun]:
    """Return the figures of Runs that an earlier, broken-off call has made.

    Raises:
        TidegateError: one is no Run under churn, never ran to its end, or had another policy.
    """
    found: list[ChurnRun] = []
    for folder in folders:
        if RunReader(folder).plan.policy != policy:
            raise TidegateError("that Run had another policy", where=str(folder), cure="leave it out")
        run = churn_run(folder)
        if not run.operations:
            raise TidegateError("nothing was done in that Run", where=str(folder), cure="leave it out")
        found.append(run)
    return found


def open_cluster(site: Site) -> Cluster:
    """Return the API of the stack's cluster.

    Raises:
        TidegateError: its kubeconfig is absent or cannot be used.
    """
    return Cluster(load_kubeconfig(kubeconfig_path(site.config.cluster.name)))


def clean(site: Site, say: Callable[[str], None]) -> None:
    """Put back what a benchmark that was killed has left.

    Raises:
        TidegateError: it could not be.
    """
    with closing(open_cluster(site)) as cluster:
        put_all_back(_floors(cluster, site.config.policy), say)


def bench_churn(
    site: Site,
    wanted: Churn,
    *,
    runs: Path,
    console: Console,
    earlier: Sequence[ChurnRun] = (),
    told: Callable[[ChurnRun], None] = lambda _: None,
) -> ChurnFigures:
    """Load the service, Run after Run, while its pods come and go. Floors are put back at the end.

    Args:
        site: the deployed stack.
        wanted: what is asked for.
        runs: folder in which the Runs' folders are made.
        console: where progress goes.
        earlier: Runs that count, too.
        told: called with each Run's figures.

    Raises:
        TidegateError: the policy or the cluster does not fit, a Run could not be made, or a floor could not
            be put back.
        KeyboardInterrupt: the user broke it off; the Runs so far stay.
    """
    policy = site.config.policy
    require_policy(policy, wanted)
    plan_scenario(SCENARIO, wanted.parameters())

    def say(said: str) -> None:
        console.print(f"  {said}", highlight=False, soft_wrap=True, markup=False)

    found = list(earlier)
    with closing(open_cluster(site)) as cluster:
        floors = _floors(cluster, policy)
        with floors_kept(floors, say):
            require_deployed(floors[0], policy, wanted)
            moved = [Moved(floors[0], wanted.high, wanted.low)]
            queue = policy.worker.queue
            moved += [Moved(floor, queue.max_replicas, queue.min_replicas) for floor in floors[1:]]
            operations = Operations(cluster, moved[0], moved[1:], policy.web.hpa.scale_up)
            round_ = Round(times(policy, wanted.high, wanted.low))
            operations.begin(Kind.IN)  # so that the first Run begins at rest with `low` pods
            while (made := sum(run.requests for run in found)) < wanted.requests:
                console.print(f"{made} of {wanted.requests} requests so far", highlight=False)
                found.append(_one(site, wanted, runs, console, operations, round_, say))
                told(found[-1])
                if found[-1].requests == 0 or any(one.problem for one in found[-1].operations):
                    break
    return together(found, high=wanted.high, low=wanted.low, wanted=wanted.requests)


def _one(
    site: Site,
    wanted: Churn,
    runs: Path,
    console: Console,
    operations: Operations,
    round_: Round,
    say: Callable[[str], None],
) -> ChurnRun:
    rest_s = round_.times.expected[Kind.IN] + _REST_S
    folder, _ = measure(
        site,
        SCENARIO,
        wanted.parameters(),
        runs=runs,
        min_peak=None,
        tail_s=0.0,
        console=console,
        limits=Limits(calm_s=rest_s),
        beside=lambda folder: Churning(folder, operations, round_, wanted.run_s, say),
    )
    return churn_run(folder)


def _floors(cluster: Cluster, policy: Policy) -> list[Floor]:
    """Return the floors that are moved, that of the web pods first."""
    worker = worker_floor(cluster, policy)
    return [web_floor(cluster, policy), *([worker] if worker else [])]
