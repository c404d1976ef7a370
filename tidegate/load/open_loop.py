"""Arrivals that wait for nobody: each is served when it is due, whatever became of those before it.

A user that waits for its answer slows down with the service, so a closed loop offers least when the service
is worst. Here the plan alone decides when a request starts (Schroeder, Wierman, Harchol-Balter, "Open Versus
Closed: A Cautionary Tale", NSDI 2006).

To Locust the arrivals are users of its own: one class a slice, one user a class. So Locust itself spreads the
slices over its processes, and gives the slice of a lost process to another.
"""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, cast

import gevent
from gevent.event import Event
from gevent.greenlet import Greenlet
from gevent.hub import Waiter
from gevent.pool import Group
from locust import User
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from tidegate.load.pacing import PacedUser, Visitor

_BURST = 16
"""Arrivals begun in a row when several are due; then what is under way has its turn."""
GRACE_S = 1.0
"""How long after the load's end an arrival that was due before it may still start."""
MOVED = "tidegate_moved"
"""Option that the master sends with its orders once all slices have begun: later ones come from elsewhere."""


class ArrivalSlice(User):
    """Every n-th arrival of the load, each served on a connection of its own choice. See `slices`."""

    abstract = True
    number = 0
    """Which of the slices it is, from 0."""
    of = 1
    """How many slices there are."""
    begins_s = 0.0
    """Monotonic time of the load's start; set when the load begins."""
    user_class: type[PacedUser]
    """Serves the arrivals."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        users = self.user_class
        self.account, self.parameters = users.account, users.parameters
        self.draw = random.Random(f"{self.parameters.seed}/slice/{self.number}")  # noqa: S311
        self._places = -(-self.parameters.max_in_flight // self.of)
        self._free: deque[_Place] = deque()
        self._busy: set[_Place] = set()
        self._visitors: list[Visitor] = []
        self._serving = Group()
        self._stopping, self._ended = Event(), Event()
        self._moved = bool(getattr(environment.parsed_options, MOVED, False))
        self.tasks = cast("Any", [type(self).drive])

    def wait_time(self) -> float:
        """Return zero: there is one task, and it waits by itself."""
        return 0.0

    def stop(self, force: bool = False) -> bool:
        """Stop once the arrivals under way have ended, at once when forced."""
        if force:
            return super().stop(force=True)
        self._state = LOCUST_STATE_STOPPING
        self._stopping.set()
        return False

    def drive(self) -> None:
        """Start every arrival of the slice when it is due, until the load ends.

        Raises:
            StopUser: always, once everything under way has ended.
        """
        starts = self._starts()
        next_s, in_a_row = next(starts, None), 0
        try:
            while next_s is not None:
                wait_s = next_s - time.monotonic()
                if wait_s > 0:
                    if self._stopping.wait(wait_s):
                        break
                    in_a_row = 0
                elif self._stopping.is_set():
                    break
                elif in_a_row >= _BURST:
                    gevent.sleep(0)  # late already: without this what is under way would never end
                    in_a_row = 0
                self._arrive(next_s)
                in_a_row += 1
                next_s = next(starts, None)
            self._stopping.wait()
            for place in self._busy:
                place.user.leave()
            if self._busy:
                self._ended.wait()
        finally:
            self._serving.kill()
            for place in (*self._free, *self._busy):
                place.user.client.close()
            # Due before the load was stopped, and never started.
            now_s = min(time.monotonic(), self.user_class.ends_s)
            if not self.account.spent and next_s is not None and next_s <= now_s:
                self.account.unsent += 1 + sum(1 for _ in itertools.takewhile(lambda s: s <= now_s, starts))
        raise StopUser

    def _starts(self) -> Iterator[float]:
        """Yield the slice's planned starts from now on, monotonic seconds."""
        parameters = self.parameters
        offsets = itertools.islice(parameters.arrival_offsets(), parameters.max_requests)
        offsets = itertools.takewhile(lambda offset_s: offset_s < parameters.duration_s, offsets)
        mine = itertools.islice(offsets, self.number, None, self.of)
        # A slice that was moved goes on from now: what was due before is not known to be unsent.
        passed_s = time.monotonic() - self.begins_s if self._moved else 0.0
        return (self.begins_s + offset_s for offset_s in mine if offset_s >= passed_s)

    def _arrive(self, intended_s: float) -> None:
        if self._free:
            place = self._free.popleft()
        elif len(self._busy) < self._places:
            place = _Place(self._connection(), self._serve)
            self._serving.start(place.greenlet)
        else:
            self.account.unsent += 1
            return
        if not self._visitors:
            self._visitors = [place.user.make_visitor(number) for number in range(place.user.visitors)]
        self._busy.add(place)
        self.account.in_flight += 1
        place.give(intended_s, self.draw.choice(self._visitors))

    def _connection(self) -> PacedUser:
        users = self.user_class
        users.host = self.environment.host or users.host
        user = users(self.environment)
        user.open_loop, user.draw = True, self.draw
        return user

    def _serve(self, place: _Place, intended_s: float, visitor: Visitor) -> None:
        user = place.user
        try:
            if not user.serve(intended_s, visitor) and not self.account.spent:
                self.account.unsent += 1
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - a task may raise anything; the load goes on
            self.environment.events.user_error.fire(
                user_instance=user, exception=error, tb=error.__traceback__
            )
        finally:
            self.account.in_flight -= 1
            self._busy.discard(place)
            if not self._busy and self._stopping.is_set():
                self._ended.set()
        self._free.append(place)


class _Place:
    """A user, and the greenlet in which it serves one arrival after the other.

    A greenlet for each arrival would cost a quarter of what the generator has for it.
    """

    def __init__(self, user: PacedUser, serve: Callable[[_Place, float, Visitor], None]) -> None:
        self.user = user
        self._serve = serve
        self._waiter: Waiter[tuple[float, Visitor]] = Waiter()
        self._run_callback = gevent.get_hub().loop.run_callback
        self.greenlet: Greenlet[[], object] = Greenlet(self._run)

    def give(self, intended_s: float, visitor: Visitor) -> None:
        """Have the arrival served as soon as the loop has its turn."""
        self._run_callback(self._waiter.switch, (intended_s, visitor))

    def _run(self) -> None:
        while True:
            intended_s, visitor = self._waiter.get()
            self._waiter.clear()
            self._serve(self, intended_s, visitor)


def slices(user_class: type[PacedUser], count: int) -> list[type[ArrivalSlice]]:
    """Return `count` classes of one user each, which share the arrivals of one load."""
    return [
        cast(
            "type[ArrivalSlice]",
            type(
                f"Arrivals{number:03d}",
                (ArrivalSlice,),
                {
                    "number": number,
                    "of": count,
                    "user_class": user_class,
                    "fixed_count": 1,
                    "abstract": False,
                },
            ),
        )
        for number in range(count)
    ]
