"""One set-up on the live stack: made, in effect, put to the test, put back."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.mutations import flaws
from bench.mutations.catalogue import Mutation
from bench.mutations.effect import wait_until_settled
from bench.mutations.objects import Changes
from bench.mutations.results import Result
from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.conduct import Trying, conduct
from tidegate.errors import TidegateError
from tidegate.host.paths import state_dir
from tidegate.models.policy import Policy
from tidegate.models.stack import StackConfig
from tidegate.prepare import Site

LEAST_PODS = 3
LEAST_PRE_STOP_S = 3
"""Seconds below which an end that came too early cannot be told: the kubelet stamps whole ones."""
Say = Callable[[str], None]


def journal(site: Site) -> Path:
    """Return the file that holds what the stack's objects were before they were changed."""
    return state_dir() / f"mutations-{site.config.cluster.name}.json"


def require_stack(config: StackConfig) -> None:
    """See that the mutations mean something on this stack.

    Raises:
        TidegateError: one of them would not.
    """
    web = config.policy.web
    problems = {
        "it has no Chaos Mesh: set tidegate:faults: {chaos_mesh: true}": not config.faults.chaos_mesh,
        "its web pods do not scale on CPU": web.hpa.metric != "cpu",
        f"its floor is below {LEAST_PODS} web pods": web.hpa.min_replicas < LEAST_PODS,
        f"its pre_stop_s is below {LEAST_PRE_STOP_S}": web.drain.pre_stop_s < LEAST_PRE_STOP_S,
        "NGINX stands in front of its web process": web.nginx.enabled,
        "it has fewer than two workers": config.cluster.workers < 2,
    }
    for problem, there in problems.items():
        if there:
            raise TidegateError(f"this stack cannot be used: {problem}", cure="use Pulumi.chaos.yaml")


def with_bounds(site: Site, bounds: tuple[int, int] | None) -> Site:
    """Return the site whose policy says what the cluster has."""
    if bounds is None:
        return site
    policy = site.config.policy.model_dump(mode="json")
    policy["web"]["hpa"] |= {"min_replicas": bounds[0], "max_replicas": bounds[1]}
    # Validated: a Run's policy is never one that a stack could not have.
    changed = site.config.model_copy(update={"policy": Policy.model_validate(policy)})
    return replace(site, config=changed)


@contextmanager
def set_up(changes: Changes, mutation: Mutation, settle: Callable[[], None], say: Say) -> Generator[None]:
    """Make the set-up for the time of a `with` block; whatever ends that, the stack is then as before.

    Args:
        changes: makes changes and puts back what was there.
        mutation: what to make.
        settle: waits until the cluster is as it is written.
        say: told of each step.

    Raises:
        TidegateError: it could not be made, or not be put back.
    """
    bounds = () if mutation.bounds is None else (flaws.bounded(*mutation.bounds),)
    wanted = (*bounds, *mutation.changes)
    try:
        for change in wanted:
            say(f"{mutation.name}: changing {change.path.rpartition('/')[2]}")
            changes.make(change)
        if wanted:
            settle()
            time.sleep(mutation.settle_s)
        yield
    finally:
        put_back(changes, settle, say)


def put_back(changes: Changes, settle: Callable[[], None], say: Say) -> list[str]:
    """Put back all that is changed, and wait until the cluster is as it is written; return what was.

    Raises:
        TidegateError: something could not be put back; the next start tries again.
    """
    done = changes.put_back()
    for path in done:
        say(f"put back {path.rpartition('/')[2]}")
    if done:
        settle()
    return done


def try_out(trying: Trying, mutation: Mutation, number: int, say: Say) -> Result:
    """Make the set-up, do its experiment, put the stack back, and return what the verdict was.

    Raises:
        TidegateError: the set-up could not be made or put back, or the experiment could not be done.
        KeyboardInterrupt: broken off; the fault was lifted and the stack put back.
    """
    (experiment,) = load_experiments([mutation.experiment])
    cluster = trying.place.open()
    began_s = time.time()
    try:
        changes = Changes(cluster, journal(trying.site))

        def settle() -> None:
            wait_until_settled(cluster, say)

        changed = replace(
            trying,
            site=with_bounds(trying.site, mutation.bounds),
            observer=mutation.observer,
            beside=mutation.beside,
        )
        with set_up(changes, mutation, settle, say):
            folder, trial = conduct(changed, mutation.adapt(experiment))
    finally:
        cluster.close()
    return Result(
        name=mutation.name,
        number=number,
        experiment=mutation.experiment,
        how=mutation.how,
        expected=mutation.expected,
        expected_reason=mutation.reason,
        finding=trial.finding,
        reasons=trial.reasons,
        as_expected=mutation.fits(trial.finding, trial.reasons),
        run=str(folder),
        users=trying.users,
        began_s=began_s,
        took_s=time.time() - began_s,
    )
