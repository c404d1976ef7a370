"""A slice of an open loop in this process, against a server of the test's own."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
import pytest
import support.unpatched_locust
from locust import task
from locust.env import Environment
from locust.exception import StopUser
from support.scripted_server import ScriptedServer, Step

from tidegate.load.offered import Phase, held
from tidegate.load.open_loop import ArrivalSlice, slices
from tidegate.load.pacing import Account, PacedUser
from tidegate.load.parameters import LoadParameters
from tidegate.load.recorder import error_text

assert support.unpatched_locust.locust  # imported before Locust's own parts
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
ARRIVALS = 40


class Parameters(LoadParameters):
    """Arrivals 5 ms apart."""

    @property
    def phases(self) -> list[Phase]:
        return [held(ARRIVALS / 200, 200.0)]


class Getter(PacedUser):
    """Gets one page."""

    visitors = 1

    @task
    def get(self) -> None:
        self.send("GET", "/", route="/")


class Load:
    """One slice with all arrivals, and what Locust's listeners were told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, url: str, user: type[PacedUser], places: int) -> None:
        parameters = Parameters(arrivals="constant", loop="open", max_in_flight=places)
        self.account = Account(limit=parameters.max_requests)
        for name, value in (("parameters", parameters), ("account", self.account), ("host", url)):
            monkeypatch.setattr(user, name, value, raising=False)
        monkeypatch.setattr(ArrivalSlice, "begins_s", time.monotonic())
        environment = Environment(user_classes=[user], host=url)
        self.reports: list[dict[str, Any]] = []
        self.broken: list[str] = []
        environment.events.request.add_listener(lambda **report: self.reports.append(report))
        environment.events.user_error.add_listener(
            lambda exception, **_: self.broken.append(type(exception).__name__)
        )
        self.slice = slices(user, 1)[0](environment)
        self.greenlet = gevent.spawn(self._drive)

    def _drive(self) -> None:
        with pytest.raises(StopUser):
            self.slice.drive()

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait; the test's own time limit ends what never comes."""
        while not holds():
            gevent.sleep(0.01)
            assert not self.greenlet.dead

    def settled(self) -> int:
        """How many arrivals were sent, not sent, or broke before they were sent."""
        return self.account.sent - self.account.in_flight + self.account.unsent + len(self.broken)

    def end(self) -> None:
        """Stop the slice and wait for its end."""
        self.slice.stop()
        self.greenlet.get()


MakeLoad = Callable[..., Load]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> MakeLoad:
    def loaded(url: str, user: type[PacedUser] = Getter, places: int = ARRIVALS) -> Load:
        return Load(monkeypatch, url, user, places)

    return loaded


def test_every_arrival_is_served_on_a_connection_that_is_free(load: MakeLoad) -> None:
    with ScriptedServer(OK) as server:
        made = load(server.url)
        made.until(lambda: made.settled() == ARRIVALS)
        assert server.open_connections() == server.connections
        made.end()
        while server.open_connections():  # nothing is left behind for the next load of this process
            gevent.sleep(0.01)
    assert len(made.reports) == len(server.requests) == made.account.sent == ARRIVALS
    assert [report["exception"] for report in made.reports] == [None] * ARRIVALS
    assert made.account.in_flight == made.account.unsent == 0
    assert server.connections == len(made.slice._free) <= ARRIVALS  # pyright: ignore[reportPrivateUsage]


def test_one_place_serves_one_arrival_after_the_other(load: MakeLoad) -> None:
    with ScriptedServer(0.03, OK) as server:
        made = load(server.url, places=1)
        made.until(lambda: made.settled() == ARRIVALS)
        made.end()
    assert server.connections == 1
    assert made.account.sent == len(made.reports) == len(server.requests) > 1
    assert made.account.sent + made.account.unsent == ARRIVALS


@pytest.mark.parametrize("error", [RuntimeError("broken"), gevent.Timeout(1)], ids=["error", "timeout"])
def test_a_task_that_breaks_leaves_its_place_to_the_next(error: BaseException, load: MakeLoad) -> None:
    class Breaker(Getter):
        """Breaks at first."""

        broke = False

        def choose_task(self) -> Callable[[Any], None]:
            if not Breaker.broke:
                Breaker.broke = True
                raise error
            return super().choose_task()

    with ScriptedServer(OK) as server:
        made = load(server.url, Breaker, places=1)
        made.until(lambda: made.settled() == ARRIVALS)
        made.end()
    assert made.broken == [type(error).__name__]
    assert len(made.reports) == made.account.sent > 0


@pytest.mark.parametrize("steps", [(0.5, OK)])
def test_the_end_waits_for_what_is_under_way(steps: tuple[Step, ...], load: MakeLoad) -> None:
    with ScriptedServer(*steps) as server:
        made = load(server.url)
        made.until(lambda: len(server.requests) >= 3)
        assert made.account.in_flight > 0
        made.end()
        assert made.account.in_flight == 0
        assert len(made.reports) == made.account.sent == len(server.requests)
        assert [report["exception"] for report in made.reports] == [None] * made.account.sent


def test_what_is_cut_off_is_reported(load: MakeLoad) -> None:
    with ScriptedServer(30.0, OK) as server:
        made = load(server.url, places=3)
        made.until(lambda: len(server.requests) == 3)
        made.greenlet.kill()
        assert made.account.in_flight == 0
    errors = [error_text(report["exception"], 0) for report in made.reports]
    assert errors == ["InterruptedError: abandoned: the user was stopped"] * 3
