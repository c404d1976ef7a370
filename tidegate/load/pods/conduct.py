"""Run one scenario from pods of the cluster, and merge what they record into one Run."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.load.catalogue import ScenarioPlan, plan_scenario
from tidegate.load.drive import EXIT_INTERRUPTED, LoadResult
from tidegate.load.pods.api import AwayError, LoadApi
from tidegate.load.pods.fleet import Fleet, Member
from tidegate.load.pods.jobs import GRACE_S, HAND_OVER_S, SCENARIOS, START_S, LoadJobs
from tidegate.load.progress import LoadDisplay, RequestTail
from tidegate.models.load import LoadConfig
from tidegate.run import RunWriter, metric_writer

_TICK_S = 2.0
"""How often pods are asked for what is new: as often as they write."""
_OUTAGE_S = 60.0
"""Seconds that the API server may be away; agents wait longer than that."""
_LONGEST_S = 14_400.0
"""Seconds after which a load ends that does not say how long it lasts; no scenario may last longer."""
IN_CLUSTER = "in_cluster"
"""Under which name the Run's plan tells how many pods generated the load."""


@dataclass(frozen=True)
class Place:
    """Where load is generated.

    Args:
        api: the cluster's.
        config: what room the stack has.
        image: reference of the generators' image.
        workers: how many pods are to generate.
    """

    api: LoadApi
    config: LoadConfig
    image: str
    workers: int


def run_in_cluster(
    scenario: str,
    place: Place,
    *,
    run_dir: Path,
    parameters: Mapping[str, str],
    progress: Console | None,
    password: str,
    folder: Path | None = None,
    pods_folder: str = SCENARIOS,
) -> LoadResult:
    """Run `scenario` from pods against the cluster's gateway and record every request into the Run.

    The load begins when every worker has joined, and ends when each has finished its requests and all of its
    record is here. A worker that is lost on the way does not end it: Locust moves its share to the others,
    and the Run gets an error. On Ctrl-C the load is ended as the master's own Ctrl-C would, and what was sent
    is brought out; a second one removes the pods at once.

    Args:
        scenario: a name from `available_scenarios`.
        place: the cluster, and how many pods.
        run_dir: an existing Run folder.
        parameters: the scenario's parameters by name, as text.
        progress: console to show progress on, None for silence.
        password: of the service's seeded accounts.
        folder: folder of scenarios here; the project's by default. The image has those of the project.
        pods_folder: the same in the pods; only tests give another than the image's.

    Raises:
        TidegateError: no room in the cluster, unknown scenario or parameter, pods that did not come, a master
            that was lost, or Locust failed.
    """
    config, api = place.config, place.api
    if place.workers > config.max_workers:
        raise TidegateError(
            f"{place.workers} workers: the stack allows {config.max_workers}",
            cure="raise max_workers in `tidegate:load` and run `tidegate up`",
        )
    plan = plan_scenario(scenario, parameters, folder=folder)
    _require_self_contained(plan)
    if not run_dir.is_dir():
        raise TidegateError("the Run's folder is not there", where=str(run_dir))
    api.require_room()
    target, host = api.gateway()
    jobs = LoadJobs(
        name=f"load-{uuid.uuid4().hex[:8]}",
        image=place.image,
        scenario=plan.path.name,
        flags=tuple(plan.flags),
        target=target,
        allowed_host=host,
        workers=place.workers,
        config=config,
        lasts_s=_lasts_s(plan),
        folder=pods_folder,
    )
    with LoadDisplay(progress, scenario, plan.duration_s) as display:
        display.say("removing what an earlier load left")
        remove_all(api)
        load = _Load(api, jobs, plan, run_dir, display)
        try:
            interrupted = load.run(password)
        finally:
            load.close()
            # What stays because the API server is away ends by itself, and the next start removes it.
            with contextlib.suppress(TidegateError):
                remove_all(api, wait_s=0)
    return load.result(plan, place.workers, interrupted=interrupted)


def remove_all(
    api: LoadApi, *, wait_s: float = GRACE_S + 30.0, say: Callable[[str], None] | None = None
) -> int:
    """Remove what there is of any load, and wait until its pods are gone: they count against the quota.

    Returns:
        How many objects there were at first.

    Raises:
        TidegateError: the cluster does not answer, or something is there even so.
    """
    ends_s = time.monotonic() + wait_s
    left = first = api.left()
    while left:
        for each in left:
            api.remove(each)
            if say is not None and left is first:
                say(each)
        if time.monotonic() >= ends_s:
            if wait_s:
                raise TidegateError(f"{left[0]} of an earlier load cannot be removed", where="namespace load")
            break
        time.sleep(0.5)
        left = api.left()
    return len(first)


def _lasts_s(plan: ScenarioPlan) -> float:
    """Return the most seconds from the first request to the last answer."""
    return (plan.duration_s or _LONGEST_S) + _timeout_s(plan)


def _timeout_s(plan: ScenarioPlan) -> float:
    return float(plan.parameters.get("request_timeout_s", "60"))


def _require_self_contained(plan: ScenarioPlan) -> None:
    """Refuse what pods cannot do."""
    if plan.processes > 1:
        raise TidegateError(
            "processes and pods at once: a pod has one process", cure="leave out --set processes"
        )
    if plan.parameters.get("trace"):
        raise TidegateError(
            "a trace lies on this machine, where no pod can read it",
            where=plan.parameters["trace"],
            cure="replay it without --in-cluster",
        )


class _Load:
    """One load on its way."""

    def __init__(
        self, api: LoadApi, jobs: LoadJobs, plan: ScenarioPlan, run_dir: Path, display: LoadDisplay
    ) -> None:
        self._api, self._jobs, self._run_dir, self._display = api, jobs, run_dir, display
        self._timeout_s = _timeout_s(plan)
        self._tail = RequestTail(run_dir, RequestTail.present(run_dir))
        self._fleet = Fleet(api, jobs.name, run_dir)
        self._outage_s: float | None = None
        self._exit_status = 0
        self._said = ""

    def close(self) -> None:
        """Ask the pods nothing more."""
        self._fleet.close()

    def run(self, password: str) -> bool:
        """Make the Jobs and follow them to their end; return whether the user broke it off."""
        interrupted = False
        try:
            self._begin(password)
            self._follow(self._jobs.lasts_s + HAND_OVER_S)
        except KeyboardInterrupt:
            interrupted = True
            self._break_off()
        self._finish()
        return interrupted

    def result(self, plan: ScenarioPlan, workers: int, *, interrupted: bool) -> LoadResult:
        """Return how the load ended.

        Raises:
            TidegateError: Locust failed.
        """
        if self._exit_status != 0 and not interrupted:
            where = str(self._run_dir / "locust.log")
            said = self._said.removeprefix("error: ")
            raise TidegateError(f"locust failed with exit code {self._exit_status}: {said}", where=where)
        tally = self._tail.read()
        told = {**plan.parameters, IN_CLUSTER: str(workers)}
        status = EXIT_INTERRUPTED if interrupted else 0
        return LoadResult(tally.window_s, tally.requests, tally.failures, status, told)

    def _begin(self, password: str) -> None:
        """Make everything, and wait until every pod answers; Locust waits until all have joined."""
        jobs, name = self._jobs, self._jobs.name
        self._api.make_secret(jobs.secret(password))
        self._api.give_secret_to(name, jobs.master_name, self._api.make_job(jobs.master()))
        self._until(lambda: self._answers(1), "the master")
        master = self._fleet.master
        if master is None:
            raise TidegateError("the load has no master", where=jobs.master_name)
        self._api.make_job(jobs.worker(master.address))
        self._until(lambda: self._answers(1 + jobs.workers), f"{jobs.workers} workers")

    def _answers(self, pods: int) -> bool:
        return sum(member.state is not None for member in self._fleet.members) >= pods

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        """Follow the pods until `holds`; none may be lost meanwhile, for nothing was begun.

        Raises:
            TidegateError: it took too long, or one was lost.
        """
        ends_s = time.monotonic() + START_S
        while True:
            self._turn()
            if holds():
                return
            self._require_start()
            self._display.say(f"waiting for {what}. {self._fleet.waiting}".rstrip())
            if time.monotonic() > ends_s:
                why = self._fleet.waiting or "nothing was heard of them"
                raise TidegateError(
                    f"waited {START_S} s for {what}: {why}",
                    cure="`tidegate up` if their image is missing; else see `kubectl get events -n load`",
                )
            time.sleep(_TICK_S / 4)

    def _require_start(self) -> None:
        """Refuse a load that cannot begin any more as it was asked for.

        Raises:
            TidegateError: a pod was lost, or Locust failed in it.
        """
        for member in self._fleet.members:
            if member.lost:
                raise TidegateError(
                    f"a load generator was lost before the load began: {member.lost}", where=member.name
                )
            if member.done and member.state is not None and member.state.exit_status:
                said = _word(member).removeprefix("error: ")
                raise TidegateError(
                    f"locust failed with exit code {member.state.exit_status}: {said}", where=member.name
                )

    def _follow(self, limit_s: float) -> None:
        """Follow the pods until the load is over and everything is here.

        Raises:
            TidegateError: it could not begin, or took longer than `limit_s` seconds.
        """
        ends_s = time.monotonic() + limit_s
        hand_over_s: float | None = None
        while True:
            self._turn()
            tally = self._tail.read()
            self._display.show(tally)
            if tally.requests == 0:
                self._require_start()
            master = self._fleet.master
            if master is None or all(member.over for member in self._fleet.members):
                return
            now_s = time.monotonic()
            if master.over and hand_over_s is None:
                hand_over_s = now_s + self._timeout_s + HAND_OVER_S
            if hand_over_s is not None and now_s > hand_over_s:
                for member in self._fleet.members:
                    if not member.over:
                        member.lost = "it did not end, or not all of its record came out"
                return
            if now_s > ends_s:
                raise TidegateError(f"the load did not end within {limit_s:.0f} s")
            time.sleep(_TICK_S)

    def _turn(self) -> None:
        """Follow the pods once; the API server may be away for a while."""
        try:
            self._fleet.turn()
            self._outage_s = None
        except AwayError:
            now_s = time.monotonic()
            self._outage_s = self._outage_s or now_s
            if now_s - self._outage_s > _OUTAGE_S:
                raise

    def _break_off(self) -> None:
        """End a load that has begun, and bring out what was sent."""
        if self._tail.read().requests == 0:
            return
        self._display.say(
            f"ending: up to {self._timeout_s:.0f} s for requests under way; Ctrl-C again cuts them"
        )
        self._fleet.stop()
        self._follow(2 * self._timeout_s + HAND_OVER_S)

    def _finish(self) -> None:
        """Write down what is to be said of the pods, and let them go.

        Raises:
            TidegateError: the master was lost.
        """
        self._fleet.compare_clocks()
        tally = self._tail.read()
        window_s = tally.window_s or (time.time(), time.time())
        with (
            RunWriter(self._run_dir) as notes,
            metric_writer(self._run_dir, f"clocks-{self._jobs.name}") as samples,
        ):
            for member in self._fleet.members:
                for offset in member.clocks:
                    samples.extend(offset.rows(member.name))
                said = _complaint(member)
                if said:
                    # Within the load's window, wherever it was noticed: it is of the load that it tells.
                    at_s = min(max(member.heard_s, window_s[0]), window_s[1])
                    notes.note("error", f"load: {said}", t_s=at_s)
        master = self._fleet.master
        if master is not None and master.state is not None:
            self._exit_status = master.state.exit_status or 0
            self._said = master.state.said
        self._fleet.release()
        if master is not None and master.lost:
            raise TidegateError(f"the load's master was lost: {master.lost}", where=master.name)


def _complaint(member: Member) -> str:
    """Return what is to be said of a pod in the Run, empty when all went well."""
    if member.lost:
        return (
            f"generating pod {member.name} was lost: {member.lost}; what it had not handed over is missing, "
            "and its part of the load was not offered meanwhile"
        )
    status = member.state.exit_status if member.state is not None else None
    if status:
        return f"generating pod {member.name} ended with exit code {status}: {_word(member)}"
    return ""


def _word(member: Member | None) -> str:
    return member.state.said if member is not None and member.state is not None else ""
