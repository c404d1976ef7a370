"""Twelve set-ups that are broken, and the sound one: how each is made, and what the verdict must say."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.mutations import flaws
from bench.mutations.effect import BUDGET, DEPLOYMENT
from bench.mutations.generator import held_back
from bench.mutations.objects import Change, edited, removed
from bench.mutations.recorder import blind_observer, shifted_observer
from tidegate.chaos.experiment import Experiment
from tidegate.errors import TidegateError
from tidegate.models.problems import nearest
from tidegate.models.trial import Finding
from tidegate.observe.drive import Observer

NOT_HELD, INCONCLUSIVE, HELD = Finding.NOT_HELD, Finding.INCONCLUSIVE, Finding.HELD
SKEW_S = 30.0


@dataclass(frozen=True)
class Mutation:
    """One set-up, and what is true of it.

    Args:
        name: what it is called.
        experiment: what is done to it: a file of `chaos/`.
        how: how it is made.
        failure: who meets it.
        expected: what the verdict must come to.
        reason: pattern that one of the verdict's reasons must fit.
        because: why that is the right reason.
        bounds: fewest and most web pods, in the cluster and in the policy of the Run; None: as they are.
        changes: what is changed in the cluster.
        settle_s: seconds from then until it is what it is.
        adapt: makes the experiment that is done of the one in the file.
        observer: makes the recorder of the cluster.
        beside: what goes on beside the load.
    """

    name: str
    experiment: str
    how: str
    failure: str
    expected: Finding
    reason: str
    because: str
    bounds: tuple[int, int] | None = None
    changes: tuple[Change, ...] = ()
    settle_s: float = 0.0
    adapt: Callable[[Experiment], Experiment] = flaws.as_it_is
    observer: Callable[[Path, Path], Observer] = Observer
    beside: Callable[[Path], AbstractContextManager[object]] = nullcontext

    def fits(self, finding: Finding, reasons: Sequence[str]) -> bool:
        """Whether a verdict is the right one, and for the right reason."""
        return finding is self.expected and any(re.search(self.reason, each) for each in reasons)


MUTATIONS: tuple[Mutation, ...] = (
    Mutation(
        name="no-pre-stop",
        experiment="node-drain",
        how="the Deployment's preStop hook is removed",
        failure="a pod ends while gateways still send to it; this one tries again, many others do not",
        expected=NOT_HELD,
        reason=r"had ended \d+ s after it was told to go",
        because="the pod's own end, as the kubelet stamped it, came before the policy's pre_stop_s was over",
        changes=(edited(DEPLOYMENT, flaws.without_pre_stop),),
    ),
    Mutation(
        name="readiness-lying",
        experiment="pod-kill",
        how="probes ask /healthz, and a new process answers 500 for 40 s; four pods, no more and no less",
        failure="a readiness probe that asks whether the process lives sends traffic to pods that warm up",
        expected=NOT_HELD,
        reason=r"was Ready and failed \d+ of \d+ requests: its readiness lies",
        because="the pod that took the killed one's place was Ready by its watch and failed what it was sent",
        bounds=(4, 4),
        changes=(*flaws.broken("warming"), edited(DEPLOYMENT, flaws.probed_for_life)),
        settle_s=45.0,
    ),
    Mutation(
        name="one-replica",
        experiment="pod-kill",
        how="the autoscaler's bounds are 1 and 1, in the cluster and in the policy",
        failure="one pod is enough until it is the one that dies",
        expected=NOT_HELD,
        reason=r"^1 web pods were Ready before the fault",
        because="requests failed, and there was nobody else to carry them",
        bounds=(1, 1),
    ),
    Mutation(
        name="autoscaler-at-maximum",
        experiment="cpu-stress",
        how="the autoscaler's bounds are 3 and 3, in the cluster and in the policy",
        failure="a ceiling that was set once and never looked at again",
        expected=NOT_HELD,
        reason=r"it was at its maximum of 3 replicas and could not answer",
        because="CPU asked for more pods and the ceiling had been reached before",
        bounds=(3, 3),
    ),
    Mutation(
        name="fault-never-landed",
        experiment="partition-redis",
        how="the partition is from 192.0.2.1, where nobody is; the injector says that it injected",
        failure="a misspelt target or a selector of yesterday: the tool reports success, nothing happened",
        expected=INCONCLUSIVE,
        reason=r"No chosen pod was seen that could not connect to redis",
        because="every chosen pod went on reaching Redis, whatever the injector says",
        adapt=flaws.aimed_at_nobody,
    ),
    Mutation(
        name="generator-saturated",
        experiment="pod-kill",
        how="the load generator is stopped for two thirds of the time, 0.8 s on end",
        failure="a generator at its CPU limit offers less than it says and measures itself",
        expected=INCONCLUSIVE,
        reason=r"load generator itself was \d+ ms late|process of the load generator used",
        because="it was late by its own doing, so that neither failures nor latencies are the service's",
        beside=held_back,
    ),
    Mutation(
        name="retries-hiding-errors",
        experiment="pod-kill",
        how="one request in ten is answered with 503, and the gateway tries all up to five times more",
        failure="a mesh that tries again makes a broken release look whole, until its retries break it",
        expected=NOT_HELD,
        reason=r"retries hid the rest",
        because="the service's own count of 5xx is above the claim, and clients saw next to none",
        changes=(*flaws.broken("flaky"), *flaws.retrying()),
    ),
    Mutation(
        name="clock-skew",
        experiment="pod-kill",
        how=f"the observer's clock is {SKEW_S:g} s ahead",
        failure="recorders on several machines, of which one has lost its time server",
        expected=INCONCLUSIVE,
        reason=r"recorders' clocks are at least (2[5-9]|3\d)\.\d s apart",
        because="nothing that the API server made was received before half a minute later",
        observer=shifted_observer(SKEW_S),
    ),
    Mutation(
        name="pods-lost-in-watch",
        experiment="pod-kill",
        how="the observer is told of no pod that was born after it began",
        failure="a watch that broke without a word, or a selector that misses the new ones",
        expected=INCONCLUSIVE,
        reason=r"Pods answered that the watch never saw: ",
        because="clients were answered by pods that the record does not have",
        observer=blind_observer,
    ),
    Mutation(
        name="redis-required",
        experiment="redis-away",
        how="reads ask Redis first and have no way without it; the service as it is has one",
        failure="one forgotten `except` around the cache makes it a database",
        expected=NOT_HELD,
        reason=r"were answered well during the fault.* GET /api/v1/products",
        because="reads failed while Redis was away, and the claim is that they need it for nothing",
        changes=flaws.broken("needs-redis"),
    ),
    Mutation(
        name="budget-blocking",
        experiment="node-drain",
        how="the PodDisruptionBudget has maxUnavailable 0",
        failure="a budget that allows no eviction stops every upgrade of nodes, for ever",
        expected=NOT_HELD,
        reason=r"An eviction was refused to the end: .*disruption budget.*chosen pods were never told to go",
        because="the API server's own refusal is quoted, and the watch saw no pod leave",
        changes=(edited(BUDGET, flaws.without_leeway),),
    ),
    Mutation(
        name="no-budget-at-drain",
        experiment="node-drain",
        how="the PodDisruptionBudget is deleted",
        failure="a drain takes every pod of the node at the same moment",
        expected=NOT_HELD,
        reason=r"may be missing at once\. No PodDisruptionBudget covered them",
        because="the watch saw more pods go at once than the claim allows, and there was no budget",
        changes=(removed(BUDGET),),
    ),
)

SOUND_EXPERIMENTS = ("pod-kill", "node-drain", "partition-redis", "redis-away", "cpu-stress")
"""Every experiment that a mutation is shown by: each must hold on the stack as it is."""


def sound(number: int) -> Mutation:
    """Return the set-up without a mutation, the `number`-th time (from 1): the experiments take turns."""
    return Mutation(
        name="sound",
        experiment=SOUND_EXPERIMENTS[(number - 1) % len(SOUND_EXPERIMENTS)],
        how="the stack as it is",
        failure="nobody",
        expected=HELD,
        reason=r"",
        because="a verdict that never says held says nothing",
    )


def named(names: Sequence[str]) -> tuple[Mutation, ...]:
    """Return the mutations with these names, all of them without any; `sound` is none of them.

    Raises:
        TidegateError: there is no such mutation.
    """
    known = [each.name for each in MUTATIONS]
    for name in names:
        if name not in (*known, "sound"):
            near = nearest(name, [*known, "sound"])
            cure = f"the nearest name is {near}" if near else "`--list` names all"
            raise TidegateError(f"there is no mutation {name!r}", cure=cure)
    return tuple(each for each in MUTATIONS if not names or each.name in names)
