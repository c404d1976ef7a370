"""After a load: does the service still have every order it acknowledged, and none twice?

Asked from outside, through the gateway, as the orders' own buyers: nothing of this needs the database.

- lost: acknowledged, and not among its account's orders;
- undecided: acknowledged, and still pending after all patience;
- doubled: more orders than attempts. An attempt without an answer may have made an order or not, so each
  account may have as many orders nobody acknowledged as it has such attempts, and no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast

import httpx

from tidegate.errors import TidegateError
from tidegate.run import MetricRow, RunWriter, labels_text, metric_writer, read_jsonl
from tidegate.run.format import ORDERS_FILE

PATIENCE_S = 60.0
"""How long the service may take to answer again, and workers to decide what is left."""
_PAUSE_S = 2.0
_PAGE = 100
_ORDERS = "/api/v2/orders"
_MARGIN_S = 2.0
"""The service's clock is read from a header of whole seconds."""


@dataclass(frozen=True)
class Audit:
    """What became of the orders of a load."""

    attempts: int
    acknowledged: int
    lost: tuple[str, ...]
    """Ids."""
    undecided: int
    doubled: int


@dataclass
class _Account:
    first_s: float
    """When its first order was sent, unix seconds of this machine."""
    unanswered: int
    acknowledged: set[str]

    @property
    def attempts(self) -> int:
        return self.unanswered + len(self.acknowledged)


def audit(
    folder: Path,
    gateway: str,
    password: str,
    *,
    patience_s: float = PATIENCE_S,
    say: Callable[[str], None] = lambda _: None,
    transport: httpx.BaseTransport | None = None,
) -> Audit | None:
    """Ask for every order of the Run at `folder`; None when it placed none.

    Args:
        folder: the Run's.
        gateway: base URL of the service.
        password: of the accounts the load used.
        patience_s: for answers and for decisions, in seconds.
        say: told how far it is.
        transport: how requests are sent; over the network by default.

    Raises:
        TidegateError: the service could not be asked to the end, so nobody knows.
    """
    accounts = _accounts(folder)
    if not accounts:
        return None
    deadline_s = time.monotonic() + patience_s
    lost: list[str] = []
    undecided = doubled = 0
    with httpx.Client(base_url=gateway, timeout=10, transport=transport) as client:
        asker = _Asker(client, password, deadline_s)
        for number, (name, account) in enumerate(accounts.items(), start=1):
            say(f"account {number} of {len(accounts)}")
            found = asker.found(name, account)
            while any(found.get(order) == "pending" for order in account.acknowledged):
                if time.monotonic() > deadline_s:
                    break
                time.sleep(_PAUSE_S)
                found = asker.found(name, account)
            lost += sorted(account.acknowledged - found.keys())
            undecided += sum(found.get(order) == "pending" for order in account.acknowledged)
            doubled += max(0, len(found.keys() - account.acknowledged) - account.unanswered)
    return Audit(
        attempts=sum(account.attempts for account in accounts.values()),
        acknowledged=sum(len(account.acknowledged) for account in accounts.values()),
        lost=tuple(lost),
        undecided=undecided,
        doubled=doubled,
    )


def keep_ledger(
    folder: Path, gateway: str, password: str | None, *, say: Callable[[str], None] = lambda _: None
) -> None:
    """Audit the Run at `folder` and record what was found, or why nothing could be.

    The series `orders_lost`, `orders_doubled` and `orders_undecided` get a sample each; a Run without orders,
    and one whose service could not be asked, get none.
    """
    notes = RunWriter(folder)
    try:
        found = None if password is None else audit(folder, gateway, password, say=say)
    except TidegateError as error:
        notes.note("warning", f"ledger of orders: {error}")
        return
    finally:
        notes.close()
    if found is None:
        return
    with metric_writer(folder, "ledger") as writer:
        for name, count in (
            ("orders_lost", len(found.lost)),
            ("orders_doubled", found.doubled),
            ("orders_undecided", found.undecided),
        ):
            now_s = time.time()
            writer.append(MetricRow(now_s, now_s, name, labels_text({}), float(count), None))


def _accounts(folder: Path) -> dict[str, _Account]:
    accounts: dict[str, _Account] = {}
    for number, line in read_jsonl(folder / ORDERS_FILE):
        try:
            at_s, name, order = float(line["t_s"]), str(line["account"]), line["order"]
        except (KeyError, TypeError, ValueError):
            raise TidegateError(
                "damaged: no line of the ledger", where=f"{folder / ORDERS_FILE}:{number}"
            ) from None
        account = accounts.setdefault(name, _Account(at_s, 0, set()))
        account.first_s = min(account.first_s, at_s)
        if order is None:
            account.unanswered += 1
        else:
            account.acknowledged.add(str(order))
    return accounts


class _Asker:
    """Asks for accounts' orders, again and again until the deadline where the service does not answer."""

    def __init__(self, client: httpx.Client, password: str, deadline_s: float) -> None:
        self._client, self._password, self._deadline_s = client, password, deadline_s
        self._tokens: dict[str, str] = {}

    def found(self, name: str, account: _Account) -> dict[str, str]:
        """Return id and status of the account's orders that were made in the load.

        Args:
            name: the account's id.
            account: what is known of it.
        """
        found: dict[str, str] = {}
        for made_s, order, status in self._all(name):
            if made_s < account.first_s - _MARGIN_S:
                break
            found[order] = status
        # The list is by the clock of the pod that took the order, and that may have been wrong.
        for order in sorted(account.acknowledged - found.keys()):
            answer = self._ask(name, f"{_ORDERS}/{order}", {}, may_be_gone=True)
            if answer.status_code != 404:
                found[order] = str(answer.json()["status"])
        return found

    def _all(self, account: str) -> Iterator[tuple[float, str, str]]:
        cursor: str | None = None
        while True:
            params: dict[str, str | int] = {"limit": _PAGE} | ({"cursor": cursor} if cursor else {})
            answer = self._ask(account, _ORDERS, params)
            page = cast("dict[str, Any]", answer.json())
            ahead_s = _ahead_s(answer)
            for item in page["items"]:
                made_s = datetime.fromisoformat(str(item["created_at"])).timestamp() - ahead_s
                yield made_s, str(item["id"]), str(item["status"])
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _ask(
        self, account: str, path: str, params: dict[str, str | int], *, may_be_gone: bool = False
    ) -> httpx.Response:
        while True:
            try:
                token = self._tokens.get(account) or self._log_in(account)
                headers = {"Authorization": f"Bearer {token}"}
                answer = self._client.get(path, params=params, headers=headers)
                if answer.status_code == 401:
                    self._tokens.pop(account, None)
                if answer.status_code == 404 and may_be_gone:
                    return answer
                answer.raise_for_status()
            except httpx.HTTPError as error:
                if time.monotonic() > self._deadline_s:
                    raise TidegateError(f"the orders of {account} could not be asked for: {error}") from error
                time.sleep(_PAUSE_S)
            else:
                return answer

    def _log_in(self, account: str) -> str:
        form = {"grant_type": "password", "username": account, "password": self._password}
        answer = self._client.post("/api/v2/auth/token", data=form)
        answer.raise_for_status()
        self._tokens[account] = str(answer.json()["access_token"])
        return self._tokens[account]


def _ahead_s(answer: httpx.Response) -> float:
    """Return by how much the service's clock is ahead of this machine's; 0 where it does not say."""
    said = answer.headers.get("Date")
    try:
        moment = parsedate_to_datetime(said) if said else None
    except ValueError:
        moment = None
    return moment.timestamp() - time.time() if moment else 0.0
