"""The ledger of orders: what was acknowledged against what the service has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from support.synthetic_run import build_run

from tidegate.errors import TidegateError
from tidegate.models import Outcome
from tidegate.prove import audit as module
from tidegate.prove.audit import audit, keep_ledger
from tidegate.run import JsonlWriter, RunReader
from tidegate.run.format import ORDERS_FILE
from tidegate.verdict.judge import assess

T0 = 1_795_000_000.0


@dataclass
class Shop:
    """Accounts' orders as the service lists them, newest first, two a page."""

    orders: dict[str, list[tuple[float, str, str]]] = field(
        default_factory=dict[str, list[tuple[float, str, str]]]
    )
    """Seconds after `T0`, id, status."""
    ahead_s: float = 0.0
    """Of its clock."""
    refusals: int = 0
    """Requests it refuses before it answers."""
    asked: list[str] = field(default_factory=list[str])
    before_listing: Callable[[], None] = lambda: None

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.refusals:
            self.refusals -= 1
            return httpx.Response(503)
        if request.url.path == "/api/v2/auth/token":
            form = parse_qs(request.content.decode())
            if form["password"] != ["secret"]:
                return httpx.Response(401)
            return httpx.Response(200, json={"access_token": f"token of {form['username'][0]}"})
        self.before_listing()
        account = request.headers["Authorization"].removeprefix("Bearer token of ")
        self.asked.append(account)
        asked_id = request.url.path.removeprefix("/api/v2/orders").removeprefix("/")
        if asked_id:
            status = {order: status for _, order, status in self.orders.get(account, [])}.get(asked_id)
            return httpx.Response(404) if status is None else httpx.Response(200, json={"status": status})
        first = int(request.url.params.get("cursor", 0))
        mine = sorted(self.orders.get(account, []), reverse=True)
        page = [
            {
                "id": order,
                "status": status,
                "created_at": datetime.fromtimestamp(T0 + at_s + self.ahead_s, UTC).isoformat(),
            }
            for at_s, order, status in mine[first : first + 2]
        ]
        more = str(first + 2) if first + 2 < len(mine) else None
        date = formatdate(T0 + 100 + self.ahead_s, usegmt=True)
        return httpx.Response(200, json={"items": page, "next_cursor": more}, headers={"Date": date})


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Monotonic seconds, moved by sleeping only; the unix time stands still."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(module.time, "time", lambda: T0 + 100)
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(module.time, "sleep", sleep)
    return now


def placed(folder: Path, *attempts: tuple[str, float, str | None]) -> Path:
    with JsonlWriter(folder / ORDERS_FILE) as writer:
        for account, at_s, order in attempts:
            writer.write({"t_s": T0 + at_s, "account": account, "order": order})
    return folder


def ask(folder: Path, shop: Shop, **options: Any) -> module.Audit | None:
    transport = httpx.MockTransport(shop.answer)
    return audit(folder, "http://shop", "secret", transport=transport, **options)


def test_all_is_well(tmp_path: Path, shop: Shop) -> None:
    shop.orders = {"a": [(-500, "old", "accepted"), (1, "1", "accepted"), (2, "2", "rejected")]}
    found = ask(placed(tmp_path, ("a", 0.9, "1"), ("a", 1.9, "2")), shop)
    assert found == module.Audit(attempts=2, acknowledged=2, lost=(), undecided=0, doubled=0)


def test_an_acknowledged_order_that_is_gone_is_lost(tmp_path: Path, shop: Shop) -> None:
    shop.orders = {"a": [(1, "1", "accepted")], "b": []}
    found = ask(placed(tmp_path, ("a", 1, "1"), ("a", 2, "2"), ("b", 2, "3")), shop)
    assert found is not None
    assert found.lost == ("2", "3")


def test_an_order_beyond_the_attempts_is_doubled(tmp_path: Path, shop: Shop) -> None:
    shop.orders = {"a": [(1, "1", "accepted"), (1, "again", "accepted")]}
    found = ask(placed(tmp_path, ("a", 1, "1")), shop)
    assert found is not None
    assert found.doubled == 1


def test_an_attempt_without_an_answer_may_have_made_an_order(tmp_path: Path, shop: Shop) -> None:
    shop.orders = {"a": [(1, "1", "accepted"), (2, "unheard", "accepted")]}
    found = ask(placed(tmp_path, ("a", 1, "1"), ("a", 2, None)), shop)
    assert found is not None
    assert (found.doubled, found.attempts, found.acknowledged) == (0, 2, 1)


@pytest.mark.parametrize("ahead_s", [-3600.0, 3600.0])
def test_clocks_may_differ(tmp_path: Path, shop: Shop, ahead_s: float) -> None:
    shop.ahead_s = ahead_s
    shop.orders = {"a": [(-60, "of an earlier load", "accepted"), (1, "1", "accepted")]}
    found = ask(placed(tmp_path, ("a", 1, "1")), shop)
    assert found is not None
    assert (found.lost, found.doubled) == ((), 0)


def test_an_order_taken_by_a_pod_whose_clock_was_wrong_is_not_lost(tmp_path: Path, shop: Shop) -> None:
    """The list ends before it: its moment lies before that of an earlier load's order."""
    shop.orders = {
        "a": [(-58, "1", "accepted"), (-50, "of an earlier load", "accepted"), (2, "2", "accepted")]
    }
    found = ask(placed(tmp_path, ("a", 2, "1"), ("a", 2, "2")), shop)
    assert found == module.Audit(attempts=2, acknowledged=2, lost=(), undecided=0, doubled=0)


def test_workers_are_waited_for(tmp_path: Path, shop: Shop) -> None:
    shop.orders = {"a": [(1, "1", "pending")]}

    def decide() -> None:
        if len(shop.asked) == 3:
            shop.orders["a"] = [(1, "1", "accepted")]

    shop.before_listing = decide
    found = ask(placed(tmp_path, ("a", 1, "1")), shop)
    assert found is not None
    assert found.undecided == 0
    assert len(shop.asked) == 4


def test_workers_are_not_waited_for_for_ever(tmp_path: Path, shop: Shop, clock: list[float]) -> None:
    shop.orders = {"a": [(1, "1", "pending")]}
    found = ask(placed(tmp_path, ("a", 1, "1")), shop, patience_s=10)
    assert found is not None
    assert (found.undecided, found.lost) == (1, ())
    assert 10 < clock[0] < 20


def test_a_service_that_comes_back_is_asked_again(tmp_path: Path, shop: Shop) -> None:
    shop.refusals = 3
    shop.orders = {"a": [(1, "1", "accepted")]}
    found = ask(placed(tmp_path, ("a", 1, "1")), shop)
    assert found is not None
    assert found.lost == ()


def test_a_service_that_stays_away_leaves_the_question_open(tmp_path: Path, shop: Shop) -> None:
    shop.refusals = 1_000_000
    with pytest.raises(TidegateError, match="the orders of a could not be asked for"):
        ask(placed(tmp_path, ("a", 1, "1")), shop)


def test_a_run_without_orders_has_no_ledger(tmp_path: Path, shop: Shop) -> None:
    assert ask(tmp_path, shop) is None


def test_a_damaged_ledger_names_its_line(tmp_path: Path, shop: Shop) -> None:
    (tmp_path / ORDERS_FILE).write_text('{"t_s": 1, "account": "a", "order": null}\n{"t_s": "x"}\n')
    with pytest.raises(TidegateError, match=r"orders\.jsonl:2"):
        ask(tmp_path, shop)


@pytest.mark.parametrize(
    ("there", "outcome"),
    [
        ([(1.0, "1", "accepted")], Outcome.HELD),
        ([], Outcome.NOT_HELD),
        ([(1.0, "1", "accepted"), (1.0, "2", "accepted")], Outcome.NOT_HELD),
    ],
)
def test_the_verdict_rests_on_what_was_found(
    tmp_path: Path,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    there: list[tuple[float, str, str]],
    outcome: Outcome,
) -> None:
    folder = placed(build_run(tmp_path), ("a", 1, "1"))
    shop.orders = {"a": there}
    client = httpx.Client

    def through_shop(base_url: str, timeout: float, transport: None) -> httpx.Client:
        assert transport is None
        return client(base_url=base_url, timeout=timeout, transport=httpx.MockTransport(shop.answer))

    monkeypatch.setattr(module.httpx, "Client", through_shop)
    keep_ledger(folder, "http://shop", "secret")
    verdict = assess(RunReader(folder))
    (check,) = [each for each in verdict.checks if each.name == "orders lost or doubled"]
    assert check.outcome is outcome
    assert verdict.outcome is outcome


def test_what_could_not_be_asked_is_noted_and_not_judged(tmp_path: Path) -> None:
    folder = placed(build_run(tmp_path), ("a", 1, "1"))
    keep_ledger(folder, "http://127.0.0.1:9", "secret")
    run = RunReader(folder)
    assert any("ledger of orders" in note.what for note in run.notes())
    assert not [each for each in assess(run).checks if each.name == "orders lost or doubled"]
