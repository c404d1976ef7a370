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
from collections.abc import Iterator
from typing import Any, cast

import gevent
from gevent.event import Event
from gevent.pool import Group
from locust import User
from locust.exception import StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from tidegate.load.pacing import PacedUser, Visitor

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
        self._free: deque[PacedUser] = deque()
        self._busy: set[PacedUser] = set()
        self._visitors: list[Visitor] = []
        self._serving = Group()
        self._stopping = Event()
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
        next_s = next(starts, None)
        try:
            while next_s is not None:
                wait_s = next_s - time.monotonic()
                if wait_s > 0:
                    if self._stopping.wait(wait_s):
                        break
                elif self._stopping.is_set():
                    break
                else:
                    gevent.sleep(0)  # late already: what is under way comes first, or it would never end
                self._arrive(next_s)
                next_s = next(starts, None)
            self._stopping.wait()
            for user in self._busy:
                user.leave()
            self._serving.join()
        finally:
            self._serving.kill()
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
            user = self._free.popleft()
        elif len(self._busy) < self._places:
            user = self._connection()
        else:
            self.account.unsent += 1
            return
        if not self._visitors:
            self._visitors = [user.make_visitor(number) for number in range(user.visitors)]
        self._busy.add(user)
        self.account.in_flight += 1
        self._serving.spawn(self._serve, user, intended_s, self.draw.choice(self._visitors))

    def _connection(self) -> PacedUser:
        users = self.user_class
        users.host = self.environment.host or users.host
        user = users(self.environment)
        user.open_loop, user.draw = True, self.draw
        return user

    def _serve(self, user: PacedUser, intended_s: float, visitor: Visitor) -> None:
        try:
            if not user.serve(intended_s, visitor) and not self.account.spent:
                self.account.unsent += 1
        except Exception as error:  # noqa: BLE001 - a task may raise anything, and the load goes on
            self.environment.events.user_error.fire(
                user_instance=user, exception=error, tb=error.__traceback__
            )
        finally:
            self.account.in_flight -= 1
            self._busy.discard(user)
            self._free.append(user)


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
