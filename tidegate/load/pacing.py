"""Users that keep to a plan of their own, whatever the service does.

Every slot of a user's schedule is one request with an *intended* start. A user that is held up sends the
slots it missed back to back, still bearing their planned starts: latency counted from there contains the
time the request would have waited, which is what an independent client would have seen.
"""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

import gevent
from gevent.event import Event
from locust import User
from locust.exception import StopTest, StopUser
from locust.user.task import LOCUST_STATE_STOPPING

from tidegate.errors import TidegateError
from tidegate.load.answer import Answer
from tidegate.load.client import JSON, Client
from tidegate.load.parameters import LoadParameters
from tidegate.load.recorder import MARK, Mark
from tidegate.load.schedule import Schedule
from tidegate.run.format import NOBODY

Task = Callable[[Any], None]
_FORM = "application/x-www-form-urlencoded"


@dataclass
class Account:
    """What the users of one process have sent and left out; the bounds are checked against it."""

    sent: int = 0
    """Requests begun."""
    limit: int = 0
    """Requests that may be begun: this process's share of `max_requests`."""
    unsent: int = 0
    """Arrivals of an open loop that could not be started in time: this generator was the limit."""
    in_flight: int = 0
    """Arrivals of an open loop under way."""
    first_user: int = 0
    """Number of this process's first user; no two processes share a number."""
    dropped: int = 0
    """Planned starts that passed without a request, because the user was still busy when it was stopped."""
    users: Iterator[int] = field(default_factory=itertools.count)

    @property
    def spent(self) -> bool:
        """Whether the bound on requests is reached."""
        return self.sent >= self.limit

    def number(self) -> int:
        """Return the number of one more user."""
        return self.first_user + next(self.users)


class _Sent(NamedTuple):
    """A request that was begun."""

    method: str
    path: str
    name: str
    mark: Mark
    began_unix_s: float


@dataclass
class Visitor:
    """Who a request is sent for, and what that one knows; subclass it to know more."""

    number: int
    token: str | None = None
    """Sent with every request once there is one."""


class PacedUser(User):
    """A user whose requests start when its own schedule says. Subclass it and give it tasks of one request.

    A second request within one task has no slot of its own: it depends on the first one's answer, so its
    intended start is its start.
    """

    abstract = True
    parameters: LoadParameters
    """Set for all users by `scenario.declare`."""
    account: Account
    """Shared by all users of the process; set by `scenario.declare`."""
    ends_s: float = float("inf")
    """Monotonic time after which no request is begun; set by `scenario.declare`."""
    visitors = 50
    """Who come, in an open loop, again and again; in a closed loop each user is one of its own."""
    open_loop = False
    """Whether it serves arrivals instead of keeping to a schedule of its own."""

    def __init__(self, environment: Any) -> None:
        try:
            self.parameters.require_host(self.host)  # again: the web UI lets it be changed after the start
        except TidegateError as error:
            raise StopTest(str(error)) from error
        super().__init__(environment)
        self.client = Client(self.host or "", self.parameters.request_timeout_s)
        self.number = self.account.number()
        seed = f"{self.parameters.seed}/{self.number}"
        self.draw = random.Random(seed)  # noqa: S311
        self.schedule = Schedule(
            rate_per_s=self.parameters.rps,
            arrivals=self.parameters.arrivals,
            seed=f"{seed}/starts",
            start_s=time.monotonic(),
        )
        self._slot_s: float | None = None
        self.visitor = self.make_visitor(self.number)
        self._stopping = Event()
        self.tasks = cast("Any", _Chosen(self))

    def make_visitor(self, number: int) -> Visitor:
        """Return a visitor who knows nothing yet."""
        return Visitor(number)

    def serve(self, intended_s: float, visitor: Visitor) -> bool:
        """Serve one arrival of an open loop: one task for `visitor`, meant to start at `intended_s`.

        Returns:
            Whether a request was begun; not when a bound was reached.
        """
        self.visitor, self._slot_s = visitor, intended_s
        try:
            self.choose_task()(self)
        except StopUser:
            return self._slot_s != intended_s
        return True

    def turn(self) -> None:
        """Wait for the start of a task's next request: the next slot, or a time to think after the answer.

        Raises:
            StopUser: the user is to stop.
        """
        if not self.open_loop:
            self.wait_time()
            return
        think_s = self.draw.expovariate(self.parameters.rps)
        self._slot_s = time.monotonic() + think_s
        if self._stopping.wait(think_s):
            raise StopUser

    def leave(self) -> None:
        """Begin nothing more."""
        self._stopping.set()

    def on_start(self) -> None:
        """Wait for the first slot; Locust would run the first task at once, for all users together."""
        try:
            self.wait()
        except StopUser:
            raise gevent.GreenletExit from None  # Locust takes any other exception here for a fault

    def wait_time(self) -> float:
        """Take the next slot and wait for it here, so that Locust need not: return zero.

        Raises:
            StopUser: the user is to stop.
        """
        self._slot_s = self.schedule.take()
        if self._stopping.wait(max(0.0, self._slot_s - time.monotonic())):
            raise StopUser
        return 0.0

    def stop(self, force: bool = False) -> bool:
        """Stop once the request under way has ended, at once when waiting or forced.

        Locust kills a user that waits. When it is short of CPU the user's slot may fall due between that
        order and its execution, and the kill then meets a request: a failure nobody but the generator made.
        """
        if force:
            return super().stop(force=True)
        self._state = LOCUST_STATE_STOPPING
        self._stopping.set()
        return False

    def on_stop(self) -> None:
        """Count the slots that passed without a request, and let go of the connection."""
        self.client.close()
        now_s = min(time.monotonic(), self.ends_s)
        if self._slot_s is not None and self._slot_s <= now_s:
            self.account.dropped += 1
        self.account.dropped += self.schedule.drop_until(now_s)

    def choose_task(self) -> Task:
        """Return the next task: one of those declared, by weight, from the user's own random draws."""
        return self.draw.choice(cast("list[Task]", type(self).tasks))

    @property
    def authorized(self) -> bool:
        """Whether requests carry a token; not any more once one was refused."""
        return self.visitor.token is not None

    def authorize(self, token: str) -> None:
        """Send `token` with every request from now on."""
        self.visitor.token = token

    def send(
        self,
        method: str,
        path: str,
        *,
        route: str,
        json: Any = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send the slot's request.

        Args:
            method: HTTP method.
            path: path with query, below the host.
            route: the path's template, such as `/api/v1/products/{id}`; the request is reported under it.
            json: body, None for none.
            form: body of another kind, None for none.

        Raises:
            StopUser: a bound is reached; nothing was sent.
        """
        visitor = self.visitor
        body, kind = b"", ""
        if form is not None:
            body, kind = urlencode(form).encode(), _FORM
        elif json is not None:
            body, kind = dumps(json).encode(), JSON
        sent = _Sent(method, path, f"{method} {route}", self.begin_request(), time.time())
        try:
            answer = self.client.exchange(method, path, token=visitor.token, body=body, kind=kind)
        except gevent.GreenletExit:
            # Locust ends users without a word; the server has the request, so the Run must have it too.
            self._report(sent, None, InterruptedError("abandoned: the user was stopped"))
            raise
        self._report(sent, answer, answer.error)
        if answer.status_code == 401:
            visitor.token = None  # its time is over
        return answer

    def _report(self, sent: _Sent, answer: Answer | None, error: BaseException | None) -> None:
        """Tell Locust's listeners, its own statistics among them."""
        self.environment.events.request.fire(
            request_type=sent.method,
            name=sent.name,
            response_time=(time.monotonic() - sent.mark.start_s) * 1000,
            response_length=0 if answer is None else len(answer),
            response=answer,
            context={**self.context(), MARK: sent.mark},
            exception=error,
            start_time=sent.began_unix_s,
            url=self.client.url(sent.path),
        )

    def begin_request(self) -> Mark:
        """Spend the slot on a request that starts now.

        Raises:
            StopUser: a bound is reached.
        """
        now_s = time.monotonic()
        if self.account.spent or now_s >= self.ends_s:
            raise StopUser
        self.account.sent += 1
        planned_s, self._slot_s = self._slot_s, None
        intended_s = now_s if planned_s is None else min(planned_s, now_s)
        # Nobody waits for a connection of the open loop, so nobody's answer can excuse a late start.
        return Mark(intended_s, now_s, NOBODY if self.open_loop else self.number)


class _Chosen(list[Task]):
    """The `tasks` of one user as Locust sees them: whatever is drawn from it is the user's own choice.

    Locust draws with the process-wide random numbers, so users would disturb each other's sequences and no
    two runs would send the same requests.
    """

    def __init__(self, user: PacedUser) -> None:
        super().__init__(cast("list[Task]", type(user).tasks))
        self._user = user

    def __getitem__(self, index: Any, /) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._user.choose_task()
