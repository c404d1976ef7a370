"""Make one fault under load, measure what it does, and lift it whatever happens.

The order: measure what is usual, write down what is asked, start the process that lifts when nobody else
does, make the fault, watch, lift, see that it is gone, measure on. What the injector says is kept beside; the
Run says `landed` only when a sign of it was measured.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx

from tidegate.chaos.blast import Radius
from tidegate.chaos.doing import Doing
from tidegate.chaos.experiment import Experiment
from tidegate.chaos.injector import Word
from tidegate.chaos.lifter import end_lifter, start_lifter
from tidegate.chaos.sampler import Sampler
from tidegate.errors import TidegateError
from tidegate.run import RunReader, RunWriter
from tidegate.verdict.experiments import landed_signs

INJECT_S = 30.0
"""Seconds an injector may take; a fault that is not there by then is lifted and never landed."""
LIFTER_MARGIN_S = 15.0
HARM_S = 15.0
"""Seconds without a single answer from outside after which a fault is lifted before its time."""
_TICK_S = 0.5
_FIRST_REQUEST_S = 90.0
_SERVER_ERROR = 500


@dataclass(frozen=True)
class Setting:
    """Where an experiment is done."""

    folder: Path
    """Of the Run."""
    gateway: str
    environment: Mapping[str, str]
    """For commands that the lifter runs."""


class StoppedError(Exception):
    """The tool is asked to end."""


class Engine:
    """One experiment, in a thread of its own beside the load.

    Args:
        setting: where.
        experiment: what.
        reach: its blast radius, as it was shown.
        how: how it is made.
        sampler: measures; started and stopped here.
        say: told of each step.
    """

    def __init__(
        self,
        setting: Setting,
        experiment: Experiment,
        reach: Radius,
        how: Doing,
        sampler: Sampler,
        say: Callable[[str], None],
    ) -> None:
        self._setting = setting
        self._experiment = experiment
        self._reach = reach
        self._how = how
        self._sampler = sampler
        self._say = say
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault")
        self.error: BaseException | None = None

    def start(self) -> None:
        """Begin; the fault comes once load has been there for `before_s`."""
        self._thread.start()

    def stop(self) -> None:
        """Lift the fault now and end; returns when it is lifted."""
        self._stop.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until it is through.

        Raises:
            TidegateError: the fault could not be made or lifted.
        """
        self._thread.join()
        if self.error is not None and not isinstance(self.error, StoppedError):
            raise self.error

    def _run(self) -> None:
        try:
            with RunWriter(self._setting.folder) as run:
                self._sampler.start()
                try:
                    self._whole(run)
                finally:
                    self._sampler.stop()
        except BaseException as error:  # noqa: BLE001 - told by `join`, in the thread that can end the program
            self.error = error

    def _whole(self, run: RunWriter) -> None:
        claim = self._experiment.hypothesis
        self._say("waiting for the load")
        self._until(self._loaded, _FIRST_REQUEST_S)
        self._say(f"measuring what is usual, {claim.before_s:g} s")
        self._pause(claim.before_s)
        asked_s = time.time()
        run.fault(self._experiment.name, "asked", self._asked(), t_s=asked_s)
        lifter = start_lifter(
            self._reach.expires_s + LIFTER_MARGIN_S, self._how.afterwards(), self._setting.environment
        )
        told: dict[str, Any] = {}
        try:
            told = self._fault()
        except TidegateError as error:
            told = {"errors": [str(error)]}
            raise
        finally:
            self._lift(run, told, lifter)
            concluded = self._conclude(run)
        self._say(f"measuring on, {claim.after_s:g} s")
        self._pause(claim.after_s)
        if not concluded:
            self._conclude(run)  # some signs take longer than the fault: a database's pod made anew

    def _fault(self) -> dict[str, Any]:
        """Make the fault and stay until it is time to lift it; return what the injector said."""
        self._say(f"making the fault: {self._experiment.name}")
        try:
            self._how.begin()
        except TidegateError as error:
            # Nothing was made, so that there is nothing to judge; the reason belongs to the record.
            return {"injected": False, "errors": [str(error)]}
        ends_s = time.monotonic() + self._experiment.expires_s
        patience_s = time.monotonic() + INJECT_S
        last = Word(injected=False, recovered=False, pods=(), errors=())
        injected, errors, chosen = False, dict[str, None](), dict[str, None]()
        harm = Harm(self._setting.gateway)
        why = ""
        while time.monotonic() < ends_s and not why:
            last = self._how.ask()
            injected = injected or last.injected
            errors |= dict.fromkeys(last.errors)
            chosen |= dict.fromkeys(last.pods)
            if chosen:
                self._sampler.prefer(list(chosen))
            if injected and self._experiment.at_once:
                break
            if not injected and time.monotonic() > patience_s:
                break
            why = harm.seen()
            self._pause(_TICK_S)
        return {
            "injected": injected,
            "recovered": last.recovered,
            "pods": list(chosen),
            "errors": list(errors)[-3:],
            **({"aborted": why} if why else {}),
        }

    def _lift(self, run: RunWriter, told: dict[str, Any], lifter: int) -> None:
        self._say("lifting the fault")
        try:
            told |= self._how.lift()
        finally:
            run.fault(self._experiment.name, "lifted", {"injector": told}, t_s=time.time())
        # Only now: had the lifting failed, the process would still be there to do it.
        end_lifter(lifter)
        self._say("the fault is lifted")

    def _conclude(self, run: RunWriter) -> bool:
        """Say that it landed if that was measured, at the moment of its first sign; return whether it was."""
        signs = landed_signs(RunReader(self._setting.folder), self._experiment.name)
        seen = [sign for sign in signs if sign.seen_s is not None]
        if seen and len(seen) == len(signs):
            first_s = min(sign.seen_s for sign in seen if sign.seen_s is not None)
            evidence = {sign.sign: sign.detail for sign in seen}
            run.fault(self._experiment.name, "landed", evidence, t_s=first_s)
            return True
        return False

    def _asked(self) -> dict[str, Any]:
        return {
            "hypothesis": self._experiment.hypothesis.model_dump(mode="json"),
            "kind": self._experiment.kind,
            "actions": [fault.action for fault in self._experiment.faults],
            "at_once": self._experiment.at_once,
            "pods": list(self._reach.pods),
            "most": self._reach.most,
            "expires_s": self._reach.expires_s,
            "pid": os.getpid(),
            "newest_request_s": self._newest_request_s(),
        }

    def _newest_request_s(self) -> float | None:
        """End of the newest recorded request by the generator's clock, to be held against this program's."""
        try:
            newest = RunReader(self._setting.folder).requests()["end_s"].max()
        except TidegateError:
            return None  # a damaged segment is the verdict's to tell
        return cast("float | None", newest)

    def _loaded(self) -> bool:
        return any((self._setting.folder / "requests").glob("*.parquet"))

    def _until(self, done: Callable[[], bool], within_s: float) -> None:
        ends_s = time.monotonic() + within_s
        while not done():
            if time.monotonic() > ends_s:
                raise TidegateError(f"no request was recorded within {within_s:g} s")
            self._pause(_TICK_S)

    def _pause(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise StoppedError


class Harm:
    """Whether the service is gone altogether, seen from outside, once a second."""

    def __init__(self, gateway: str) -> None:
        self._url = f"{gateway}/api/v1/products"
        self._good_s = self._asked_s = time.monotonic()

    def seen(self) -> str:
        """Return what is wrong, empty when nothing is, or not yet for long enough."""
        now_s = time.monotonic()
        if now_s - self._asked_s >= 1.0:
            self._asked_s = now_s
            try:
                if httpx.get(self._url, timeout=2.0, trust_env=False).status_code < _SERVER_ERROR:
                    self._good_s = time.monotonic()
            except httpx.HTTPError:
                pass
        lasted_s = time.monotonic() - self._good_s
        return f"no answer from outside for {lasted_s:.0f} s" if lasted_s > HARM_S else ""
