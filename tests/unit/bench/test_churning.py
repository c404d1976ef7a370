"""Operations go on beside the load, each is written down, and none outlasts it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from tidegate.bench import churning as module
from tidegate.bench.churning import OPERATIONS_FILE, Churning, Round, words
from tidegate.bench.operations import Kind, Operations, Problem, Times
from tidegate.errors import TidegateError
from tidegate.run import read_jsonl

EVER_S = 1e6


class Service:
    """Operations that are through after some looks; sets `enough` when `most` have begun."""

    def __init__(self, looks: int = 2, most: int = 4, lasts: Callable[[], str] | None = None) -> None:
        self.looks, self.most, self.lasts = looks, most, lasts
        self.begun: list[Kind] = []
        self.enough = threading.Event()

    def begin(self, kind: Kind) -> Problem:
        self.begun.append(kind)
        left = [self.looks]
        if len(self.begun) >= self.most:
            self.enough.set()

        def problem() -> str:
            left[0] -= 1
            return "" if left[0] <= 0 else f"{left[0]} looks"

        return self.lasts or problem


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL_S", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a Run whose first requests are there."""
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "a-0.parquet").touch()
    return tmp_path


def times(expected_s: float = 0.0, limit_s: float = EVER_S) -> Times:
    return Times(dict.fromkeys(Kind, expected_s), dict.fromkeys(Kind, limit_s))


def churning(
    folder: Path, service: Service, round_: Round, load_s: float = EVER_S, say: Callable[[str], None] = print
) -> Churning:
    return Churning(folder, cast("Operations", service), round_, load_s, say)


def book(folder: Path) -> list[tuple[str, str, str]]:
    lines = [line for _, line in read_jsonl(folder / OPERATIONS_FILE)]
    return [(line["operation"], line["phase"], line.get("problem", "")) for line in lines]


def test_one_operation_follows_the_other_until_the_load_ends(folder: Path) -> None:
    service = Service()
    with churning(folder, service, Round(times())):
        service.enough.wait()
    assert service.begun[:4] == [Kind.OUT, Kind.IN, Kind.UPDATE, Kind.OUT]
    written = book(folder)
    assert written[:4] == [
        ("scale_out", "begin", ""),
        ("scale_out", "end", ""),
        ("scale_in", "begin", ""),
        ("scale_in", "end", ""),
    ]
    assert len(written) == 2 * len(service.begun)


def test_the_one_under_way_when_the_load_ends_is_waited_for(folder: Path) -> None:
    ended = threading.Event()
    service = Service(most=1, lasts=lambda: "" if ended.is_set() else "not yet")
    threading.Timer(0.05, ended.set).start()
    with churning(folder, service, Round(times())):
        service.enough.wait()
    assert book(folder)[-1] == ("scale_out", "end", "")


def test_nothing_is_begun_that_would_outlast_the_load(folder: Path) -> None:
    service, round_ = Service(), Round(times(expected_s=100.0))
    with churning(folder, service, round_, load_s=99.0):
        pass
    assert service.begun == []
    assert round_.kind is Kind.OUT


def test_what_was_seen_counts_more_than_what_was_expected() -> None:
    round_ = Round(times(expected_s=100.0))
    for _ in Kind:
        round_.through(7.0)
    assert (round_.kind, round_.needs_s) == (Kind.OUT, 7.0)


def test_the_next_run_goes_on_with_the_next_operation(folder: Path) -> None:
    round_, first, second = Round(times()), Service(most=1), Service(most=1)
    with churning(folder, first, round_):
        first.enough.wait()
    after = round_.kind
    with churning(folder, second, round_):
        second.enough.wait()
    assert second.begun[0] is after


@pytest.mark.parametrize("end", [KeyboardInterrupt, TidegateError])
def test_a_broken_off_load_does_not_wait_for_the_operation(folder: Path, end: type[BaseException]) -> None:
    service = Service(most=1, lasts=lambda: "never")

    def broken() -> None:
        with churning(folder, service, Round(times())):
            service.enough.wait()
            raise end("x")

    with pytest.raises(end):
        broken()
    (_, (_, phase, problem)) = book(folder)
    assert phase == "end"
    assert "broken off" in problem


def test_one_that_never_ends_is_given_up_and_nothing_follows(folder: Path) -> None:
    service, said = Service(lasts=lambda: "3 of 20 Ready"), list[str]()
    with churning(folder, service, Round(times(limit_s=-1.0)), say=said.append) as beside:
        beside._thread.join()  # pyright: ignore[reportPrivateUsage]
    assert service.begun == [Kind.OUT]
    assert book(folder)[-1][2].endswith("not through after -1 s: 3 of 20 Ready")
    assert said[-1] == beside.problem


def test_an_api_server_that_does_not_answer_now_and_then_is_asked_again(folder: Path) -> None:
    looks = iter([TidegateError("the cluster does not answer"), "1 of 2 Ready", ""])

    def look() -> str:
        one = next(looks, "")
        if isinstance(one, TidegateError):
            raise one
        return one

    service = Service(most=2, lasts=look)
    with churning(folder, service, Round(times())) as beside:
        service.enough.wait()
    assert beside.problem == ""


def test_a_refused_operation_is_written_down(folder: Path) -> None:
    class Refusing(Service):
        def begin(self, kind: Kind) -> Problem:
            raise TidegateError("HTTP 403: forbidden")

    with churning(folder, Refusing(), Round(times())) as beside:
        beside._thread.join()  # pyright: ignore[reportPrivateUsage]
    assert "scale-out: HTTP 403: forbidden" in book(folder)[-1][2]


def test_a_mistake_in_it_is_not_swallowed(folder: Path) -> None:
    class Broken(Service):
        def begin(self, kind: Kind) -> Problem:
            raise ZeroDivisionError

    def broken() -> None:
        with churning(folder, Broken(), Round(times())) as beside:
            beside._thread.join()  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(ZeroDivisionError):
        broken()


def test_without_a_request_nothing_is_done(tmp_path: Path) -> None:
    (tmp_path / "requests").mkdir()
    service = Service()
    with churning(tmp_path, service, Round(times())):
        pass
    assert service.begun == []
    assert not (tmp_path / OPERATIONS_FILE).exists()


def test_operations_are_told_in_words() -> None:
    assert [words(kind) for kind in Kind] == ["scale-out", "scale-in", "rolling update"]
