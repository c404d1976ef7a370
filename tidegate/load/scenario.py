"""What makes a Locust file a scenario: declared parameters, bounds, a permitted host, a recorder."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import atexit
import logging
import sys
import time
from argparse import ArgumentParser, Namespace
from typing import Any, Generic, NoReturn

import locust
from locust.env import Environment

from tidegate.errors import TidegateError
from tidegate.load.handover import run_folder
from tidegate.load.pacing import Account, PacedUser
from tidegate.load.parameters import ParametersT, add_flags, from_options
from tidegate.load.recorder import Recorder
from tidegate.load.watchdog import quit_without_parent

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

    @property
    def parameters(self) -> ParametersT:
        """The parameters of this run; only once Locust has read its command line."""
        if self._parameters is None:
            raise RuntimeError("the command line has not been read yet")
        return self._parameters

    def exhausted(self, elapsed_s: float) -> bool:
        """Return whether the load is over after `elapsed_s`: by its plan, or by a bound."""
        return elapsed_s >= self.parameters.duration_s or self.account.sent >= self.parameters.max_requests

    def add_flags(self, parser: ArgumentParser, **_: Any) -> None:
        """Add the parameters to Locust's command line (`events.init_command_line_parser`)."""
        add_flags(parser, self.model)

    def settle(self, environment: Environment, **_: Any) -> None:
        """Check parameters and host, begin to record (`events.init`); end the process if they will not do."""
        self._environment = environment
        options = environment.parsed_options
        try:
            self._parameters = from_options(self.model, options if options is not None else Namespace())
            if environment.host or self._headless(environment):
                self._parameters.require_host(environment.host)
            folder = run_folder()
            if folder is not None:
                self._record(environment, folder)
        except TidegateError as error:
            refuse(error)
        PacedUser.parameters = self._parameters
        PacedUser.account = self.account
        if not environment.stop_timeout:
            # A user that is stopped finishes its request; cutting requests off would hide the slow ones.
            environment.stop_timeout = self._parameters.request_timeout_s + _DRAIN_MARGIN_S
        quit_without_parent(environment)

    @staticmethod
    def _headless(environment: Environment) -> bool:
        return bool(getattr(environment.parsed_options, "headless", False))

    def _record(self, environment: Environment, folder: Any) -> None:
        if not folder.is_dir():
            raise TidegateError("the Run's folder is not there", where=str(folder))

        def fail(_: TidegateError) -> None:
            environment.process_exit_code = EXIT_ERROR

        self._recorder = Recorder(folder, fail)
        environment.events.request.add_listener(self._recorder.on_request)
        self._recorder.start()
        atexit.register(self.close)  # for an end that does not go through Locust's own

    def begin(self, **_: Any) -> None:
        """Start the clock that no request outlasts (`events.test_start`)."""
        PacedUser.ends_s = time.monotonic() + self.parameters.duration_s

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
        _log.info("%d requests sent, %d planned starts passed unsent", account.sent, account.dropped)
        if self._recorder is not None and account.dropped:
            self._recorder.notes.note(
                "warning",
                f"load: {account.dropped} planned starts passed without a request because their users were "
                f"still busy when they were stopped; {account.sent} were sent",
            )

    def close(self, **_: Any) -> None:
        """Write what is left (`events.quit`, the last thing Locust does)."""
        if self._recorder is not None:
            try:
                self._recorder.close()
            except TidegateError as error:
                refuse(error)


def declare(model: type[ParametersT]) -> Scenario[ParametersT]:
    """Make the Locust file that calls this a scenario with the parameters of `model`."""
    scenario = Scenario(model)
    locust.events.init_command_line_parser.add_listener(scenario.add_flags)
    locust.events.init.add_listener(scenario.settle)
    locust.events.test_start.add_listener(scenario.begin)
    locust.events.test_stop.add_listener(scenario.end)
    locust.events.user_error.add_listener(scenario.user_error)
    locust.events.quit.add_listener(scenario.close)
    return scenario
