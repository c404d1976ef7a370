"""What makes a Locust file a scenario: declared parameters, bounds, a permitted host, a recorder."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import atexit
import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Generic, NoReturn

import locust
from locust import User
from locust.env import Environment

from tidegate.errors import TidegateError
from tidegate.load.handover import run_folder
from tidegate.load.open_loop import GRACE_S, MOVED, ArrivalSlice, slices
from tidegate.load.pacing import Account, PacedUser
from tidegate.load.parameters import ParametersT, add_flags, from_options
from tidegate.load.processes import (
    is_master,
    is_worker,
    lead_s,
    process_count,
    process_index,
    wait_for_children,
    watch_processes,
)
from tidegate.load.recorder import Recorder
from tidegate.load.shares import USERS_A_PROCESS, share
from tidegate.load.watchdog import quit_without_parent
from tidegate.run import RunWriter

EXIT_ERROR = 3
_DRAIN_MARGIN_S = 1.0
_log = logging.getLogger(__name__)


def refuse(error: TidegateError) -> NoReturn:
    """End the process with the error's one line and exit code 3."""
    sys.stderr.write(f"error: {error}\n")
    sys.exit(EXIT_ERROR)


class Scenario(Generic[ParametersT]):
    """A scenario's parameters and the process's part in it. Make one with `declare`."""

    def __init__(self, model: type[ParametersT]) -> None:
        self.model = model
        self.account = Account()
        self._parameters: ParametersT | None = None
        self._recorder: Recorder | None = None
        self._environment: Environment | None = None
        self._sent_elsewhere: dict[str, int] = {}
        self._lead_s = 0.0

    @property
    def parameters(self) -> ParametersT:
        """The parameters of this run; only once Locust has read its command line."""
        if self._parameters is None:
            raise RuntimeError("the command line has not been read yet")
        return self._parameters

    @property
    def notes(self) -> RunWriter | None:
        """Where to leave notes in the Run; None when nothing is recorded or another process does."""
        return self._recorder.notes if self._recorder is not None else None

    def exhausted(self, elapsed_s: float) -> bool:
        """Return whether the load is over after `elapsed_s`: by its plan, or by a bound."""
        parameters = self.parameters
        sent = self.account.sent + sum(self._sent_elsewhere.values())
        late_s = self._lead_s + GRACE_S if parameters.loop == "open" else 0.0
        return elapsed_s >= parameters.duration_s + late_s or sent >= parameters.max_requests

    def users_at(self, elapsed_s: float) -> int:
        """Return how many users Locust is to have: those of the plan, or one a slice of the arrivals."""
        if self.parameters.loop == "closed" or self._environment is None:
            return self.parameters.users_at(elapsed_s)
        return process_count(self._environment)

    def add_flags(self, parser: ArgumentParser, **_: Any) -> None:
        """Add the parameters to Locust's command line (`events.init_command_line_parser`)."""
        add_flags(parser, self.model)

    def settle(self, environment: Environment, **_: Any) -> None:
        """Check parameters and host, begin to record (`events.init`); end the process if they will not do."""
        self._environment = environment
        try:
            self._read(environment)
            if environment.host or self._headless(environment):
                self.parameters.require_host(environment.host)
            folder = run_folder()
            if folder is not None:
                self._record(environment, folder)
        except TidegateError as error:
            refuse(error)
        PacedUser.account = self.account
        if not environment.stop_timeout:
            # A user that is stopped finishes its request; cutting requests off would hide the slow ones.
            environment.stop_timeout = self.parameters.request_timeout_s + _DRAIN_MARGIN_S
        quit_without_parent(environment)

    def _read(self, environment: Environment) -> None:
        """Take the parameters from Locust's options, and with them this process's part of the load."""
        options = environment.parsed_options
        parameters = from_options(self.model, options if options is not None else Namespace())
        self._parameters = PacedUser.parameters = parameters
        index, count = process_index(environment), process_count(environment)
        self.account.limit = share(parameters.max_requests, index % count, count)
        self.account.first_user = index * USERS_A_PROCESS
        if parameters.loop == "open":
            environment.user_classes = list[type[User]](slices(self._served_by(environment), count))

    def _served_by(self, environment: Environment) -> type[PacedUser]:
        """Return the one user class of the file, also when slices stand in its place already."""
        classes = list(environment.user_classes)
        if classes and issubclass(classes[0], ArrivalSlice):
            return classes[0].user_class
        if len(classes) == 1 and issubclass(classes[0], PacedUser):
            return classes[0]
        raise TidegateError("an open loop needs a Locust file with one user class, a PacedUser")

    @staticmethod
    def _headless(environment: Environment) -> bool:
        return bool(getattr(environment.parsed_options, "headless", False))

    def _record(self, environment: Environment, folder: Path) -> None:
        if not folder.is_dir():
            raise TidegateError("the Run's folder is not there", where=str(folder))
        if is_master(environment):
            # It sends nothing itself; what its processes record needs no merging, for segments only add up.
            watch_processes(environment, lambda left, known: _note_loss(folder, left, known))
            return

        def fail(_: TidegateError) -> None:
            environment.process_exit_code = EXIT_ERROR

        self._recorder = Recorder(folder, fail)
        environment.events.request.add_listener(self._recorder.on_request)
        if self.parameters.loop == "open":
            account, health = self.account, self._recorder.health
            health.gauge("generator_in_flight", lambda: account.in_flight)
            health.gauge("generator_unsent_total", lambda: account.unsent)
        self._recorder.start()
        atexit.register(self.close)  # for an end that does not go through Locust's own

    def begin(self, environment: Environment, **_: Any) -> None:
        """Start the clock that no request outlasts (`events.test_start`)."""
        options = environment.parsed_options
        if is_worker(environment):
            self._read(environment)  # the master's options came with its word to start
        self._lead_s = lead_s(environment)
        begins_s = time.monotonic() + self._lead_s
        if options is not None:
            if is_worker(environment):
                begins_s += float(options.tidegate_begins_unix_s) - (time.time() + self._lead_s)
            else:
                options.tidegate_begins_unix_s = time.time() + self._lead_s
                setattr(options, MOVED, False)
        ArrivalSlice.begins_s = begins_s
        grace_s = GRACE_S if self.parameters.loop == "open" else 0.0
        PacedUser.ends_s = begins_s + self.parameters.duration_s + grace_s

    def all_begun(self, **_: Any) -> None:
        """From now on a slice that begins was moved from another process (`events.spawning_complete`)."""
        environment = self._environment
        if environment is not None and is_master(environment) and environment.parsed_options is not None:
            setattr(environment.parsed_options, MOVED, True)

    def tell_master(self, data: dict[str, Any], **_: Any) -> None:
        """Tell how many requests were sent here (`events.report_to_master`)."""
        data["tidegate_sent"] = self.account.sent

    def hear_worker(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        """Hear how many requests another process has sent (`events.worker_report`)."""
        self._sent_elsewhere[client_id] = int(data.get("tidegate_sent", 0))

    def user_error(self, exception: BaseException, **_: Any) -> None:
        """A task broke; the load was not what was asked for (`events.user_error`)."""
        if self._environment is not None:
            self._environment.process_exit_code = EXIT_ERROR
        if self._recorder is not None:
            self._recorder.notes.note(
                "error", f"load: a task failed with {type(exception).__name__}: {exception}"
            )

    def end(self, **_: Any) -> None:
        """Say what was not sent (`events.test_stop`)."""
        account = self.account
        _log.info(
            "%d requests sent, %d planned starts passed unsent",
            account.sent,
            account.dropped + account.unsent,
        )
        if self._recorder is None:
            return
        if account.dropped:
            self._recorder.notes.note(
                "warning",
                f"load: {account.dropped} planned starts passed without a request because their users were "
                f"still busy when they were stopped; {account.sent} were sent",
            )
        if account.unsent:
            self._recorder.notes.note(
                "warning",
                f"load: {account.unsent} arrivals could not be started when they were due, with up to "
                f"{self.parameters.max_in_flight} in flight; {account.sent} requests were sent",
            )

    def close(self, **_: Any) -> None:
        """Write what is left (`events.quit`, the last thing Locust does)."""
        if self._environment is not None and is_master(self._environment):
            wait_for_children(self._environment.stop_timeout + _DRAIN_MARGIN_S)
        if self._recorder is not None:
            try:
                self._recorder.close()
            except TidegateError as error:
                refuse(error)


def _note_loss(folder: Path, left: int, known: int) -> None:
    with RunWriter(folder) as notes:
        notes.note(
            "error",
            f"load: {known - left} of {known} generating processes ended early; "
            "what they had not written is lost, and their part of the load was not offered meanwhile",
        )


def declare(model: type[ParametersT]) -> Scenario[ParametersT]:
    """Make the Locust file that calls this a scenario with the parameters of `model`."""
    scenario = Scenario(model)
    locust.events.init_command_line_parser.add_listener(scenario.add_flags)
    locust.events.init.add_listener(scenario.settle)
    locust.events.test_start.add_listener(scenario.begin)
    locust.events.test_stop.add_listener(scenario.end)
    locust.events.spawning_complete.add_listener(scenario.all_begun)
    locust.events.report_to_master.add_listener(scenario.tell_master)
    locust.events.worker_report.add_listener(scenario.hear_worker)
    locust.events.user_error.add_listener(scenario.user_error)
    locust.events.quit.add_listener(scenario.close)
    return scenario
