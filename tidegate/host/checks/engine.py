"""The container engine, and whether it can run what a cluster's nodes are."""

from __future__ import annotations

from tidegate.host.capabilities import lacks_sys_resource
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.owned import other_engines
from tidegate.host.engine import Engine, Probe, describe_daemon
from tidegate.host.facts import Facts
from tidegate.host.report import Check, Outcome

OLDEST = (20, 10)
_SLOW_DRIVERS = ("vfs", "devicemapper")


def version_numbers(version: str) -> tuple[int, ...]:
    """The leading numbers of a version: `20.10.24+dfsg1` is (20, 10, 24); empty if it starts with none."""
    found: list[int] = []
    for part in version.lstrip("v").split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return tuple(found)


def _check(name: str, outcome: Outcome, found: str, cure: str = "") -> Check:
    return Check(group="engine", name=name, outcome=outcome, found=found, cure=cure)


def judge_engine(tried: list[Probe], engine: Engine | None, who: str, strangers: list[int]) -> Check:
    """Whether an engine answers that is new enough.

    Args:
        tried: the endpoints that were asked.
        engine: the one that answered.
        who: who runs it, for people.
        strangers: process numbers of engines on this machine, asked for where none answered.
    """
    if engine is not None:
        told = f"{engine.version.version} at {engine.host}, {who}"
        if version_numbers(engine.version.version) < OLDEST:
            cure = f"use Docker {OLDEST[0]}.{OLDEST[1]} or newer"
            return _check("container engine", Outcome.FAIL, told, cure)
        return _check("container engine", Outcome.OK, told)
    named = next((each for each in tried if each.endpoint.demanded), None)
    if named is not None:
        return _check(
            "container engine",
            Outcome.FAIL,
            f"{named.endpoint.source} names {named.endpoint.host}, which does not answer: {named.reason}",
            "start that engine, or unset the variable",
        )
    if strangers:
        return _check(
            "container engine",
            Outcome.FAIL,
            f"dockerd runs (pid {strangers[0]}) but answers at none of {len(tried)} known addresses",
            "set DOCKER_HOST to its address, or stop it",
        )
    return _check("container engine", Outcome.WARN, "none answers", "`tidegate up` starts one, as root")


def engine_check(facts: Facts) -> Check:
    """An engine that answers: version, address, who started it."""
    tried, engine = facts.probes(), facts.engine()
    strangers = [] if engine else [each.pid for each in other_engines(Layout.of(facts.state))]
    return judge_engine(tried, engine, describe_daemon(engine) if engine else "", strangers)


def judge_privileged(*, bounded_here: bool | None, runs: bool | None, answers: bool, ours: bool) -> Check:
    """Whether privileged containers, which a cluster's nodes are, can start.

    Args:
        bounded_here: this process can never hold CAP_SYS_RESOURCE.
        runs: what the engine that answers can do; None if that cannot be seen.
        answers: whether one answers.
        ours: whether it is our own.
    """
    name = "privileged containers"
    if answers and runs is False:
        return _check(
            name,
            Outcome.FAIL,
            "the engine lacks CAP_SYS_RESOURCE and hands containers to plain runc, which will refuse them "
            '("unable to apply caps")',
            "run `tidegate engine stop` and `tidegate engine start`"
            if ours
            else "stop that engine and let `tidegate up` start its own, which is prepared for this",
        )
    if answers:
        note = " through the bounded runtime" if runs and bounded_here and ours else ""
        return _check(name, Outcome.OK, f"can start{note}" if runs else "nothing speaks against them")
    if bounded_here:
        return _check(
            name,
            Outcome.OK,
            "root lacks CAP_SYS_RESOURCE here; an engine of our own gets a runtime that does without",
        )
    return _check(name, Outcome.OK, "root has the capabilities they need")


def privileged_check(facts: Facts) -> Check:
    """Capabilities of the engine: without CAP_SYS_RESOURCE it needs a runtime that does not ask for it."""
    engine = facts.engine()
    return judge_privileged(
        bounded_here=lacks_sys_resource(proc=facts.proc),
        runs=None if engine is None else engine.runs_privileged(),
        answers=engine is not None,
        ours=engine is not None and engine.ours,
    )


def storage_check(facts: Facts) -> list[Check]:
    """The storage driver of the engine that answers; nothing without one."""
    info = facts.info()
    if info is None:
        return []
    told = f"{info.driver} below {info.data_root}"
    if info.rootless:
        cure = "use an engine that runs as root if a node does not start"
        return [_check("storage", Outcome.WARN, f"{told}, rootless", cure)]
    if info.driver in _SLOW_DRIVERS:
        cure = "move the engine's data to a file system that overlay2 works on (ext4, xfs)"
        return [_check("storage", Outcome.WARN, f"{told}: copies every layer in full", cure)]
    return [_check("storage", Outcome.OK, told)]
