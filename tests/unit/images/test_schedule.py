"""Jobs run after what they need, the longest chain first, and a failure stops only what needs it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import TidegateError
from tidegate.images.estimate import estimate_s
from tidegate.images.job import Job, JobContext, Resource
from tidegate.images.schedule import Outcome, State, order, run_jobs, slots

LIMITS: dict[Resource, int] = {"cpu": 1, "net": 2, "engine": 1}
KINDS: tuple[Resource, ...] = ("cpu", "net", "engine")


class Record:
    """Keeps what the schedule reports."""

    def __init__(self) -> None:
        self.changes: list[tuple[str, State]] = []

    def changed(self, job: Job, state: State) -> None:
        self.changes.append((job.id, state))

    def detail(self, job: Job, text: str) -> None:
        raise AssertionError(f"{job.id} said {text}")

    def started(self) -> list[str]:
        return [name for name, state in self.changes if state == "running"]


async def nothing(_: JobContext) -> None:
    await asyncio.sleep(0)


async def failing(_: JobContext) -> None:
    raise TidegateError("it broke")


def job(name: str, *needs: str, seconds: float = 1, resource: Resource = "cpu", fails: bool = False) -> Job:
    return Job(name, name, resource, failing if fails else nothing, seconds, frozenset(needs))


def run(jobs: Sequence[Job]) -> tuple[Outcome, Record]:
    record = Record()
    return asyncio.run(run_jobs(jobs, LIMITS, record)), record


def test_a_job_starts_after_all_it_needs() -> None:
    jobs = [job("image", "binary", "base"), job("binary", "modules"), job("base"), job("modules")]
    outcome, record = run(jobs)
    assert set(outcome.states.values()) == {"done"}
    done: set[str] = set()
    needs = {each.id: each.needs for each in jobs}
    for name, state in record.changes:
        if state == "running":
            assert needs[name] <= done
        if state == "done":
            done.add(name)


def test_the_longest_chain_goes_first() -> None:
    _, record = run([job("short", seconds=50), job("long", seconds=10), job("after", "long", seconds=60)])
    assert record.started() == ["long", "after", "short"]


def test_a_failure_stops_only_what_needs_it() -> None:
    outcome, _ = run([job("bad", fails=True), job("needs-bad", "bad"), job("far", "needs-bad"), job("other")])
    assert outcome.states == {"bad": "failed", "needs-bad": "skipped", "far": "skipped", "other": "done"}
    assert str(outcome.errors["bad"]) == "it broke"
    assert list(outcome.errors) == ["bad"]


def test_no_more_than_allowed_run_at_once() -> None:
    running = {"cpu": 0, "net": 0, "engine": 0}
    highest = dict(running)

    def counting(kind: Resource) -> Job:
        async def act(_: JobContext) -> None:
            running[kind] += 1
            highest[kind] = max(highest[kind], running[kind])
            for _turn in range(3):
                await asyncio.sleep(0)
            running[kind] -= 1

        name = f"{kind}-{len(jobs)}"
        return Job(name, name, kind, act)

    jobs: list[Job] = []
    for kind in KINDS:
        for _ in range(4):
            jobs.append(counting(kind))  # noqa: PERF401 - the name counts those before
    run(jobs)
    assert highest == LIMITS


def test_a_surprise_is_not_swallowed() -> None:
    async def surprise(_: JobContext) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run([Job("a", "a", "cpu", surprise)])


def test_circles_and_strangers_are_refused() -> None:
    with pytest.raises(ValueError, match="circle"):
        order([job("a", "b"), job("b", "a")])
    with pytest.raises(ValueError, match="not planned"):
        order([job("a", "gone")])


@given(st.data())
def test_any_acyclic_set_runs_to_its_end(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    jobs: list[Job] = []
    for index in range(count):
        needs = data.draw(st.sets(st.integers(0, index - 1))) if index else set[int]()
        fails = data.draw(st.booleans()) and data.draw(st.booleans())
        kind = data.draw(st.sampled_from(KINDS))
        jobs.append(job(str(index), *map(str, needs), resource=kind, fails=fails))
    outcome, record = run(jobs)
    for each in jobs:
        bad_needs = [need for need in each.needs if outcome.states[need] != "done"]
        assert (outcome.states[each.id] == "skipped") == bool(bad_needs)
    assert "waiting" not in outcome.states.values()
    assert len(record.started()) == len(set(record.started()))


@given(st.lists(st.tuples(st.floats(0, 100), st.sampled_from(KINDS)), min_size=1, max_size=10))
def test_an_estimate_lies_between_the_best_and_the_worst(shapes: list[tuple[float, Resource]]) -> None:
    jobs = [job(str(index), seconds=seconds, resource=kind) for index, (seconds, kind) in enumerate(shapes)]
    total = sum(each.seconds for each in jobs)
    estimate = estimate_s(jobs, LIMITS)
    assert max(each.seconds for each in jobs) <= estimate + 1e-6
    assert estimate <= total + 1e-6


def test_an_estimate_plays_out_side_by_side() -> None:
    jobs = [
        job("build", seconds=10),
        job("image", "build", seconds=5, resource="engine"),
        job("b2", seconds=4),
    ]
    assert estimate_s(jobs, LIMITS) == 15
    assert estimate_s([], LIMITS) == 0
    assert estimate_s(jobs[1:2], LIMITS) == 5


def test_two_cores_build_one_go_group_at_a_time_and_memory_bounds_the_rest() -> None:
    assert slots(2, 24 * 10**9)["cpu"] == 1
    assert slots(8, 64 * 10**9)["cpu"] == 4
    assert slots(16, 8 * 10**9)["cpu"] == 1
    assert slots(1, 2 * 10**9) == {"cpu": 1, "net": 2, "engine": 1}
