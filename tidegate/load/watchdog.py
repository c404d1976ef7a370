"""End the load when whoever started it is gone."""

from __future__ import annotations

import logging
import os

import gevent
from locust.env import Environment
from locust.runners import WorkerRunner

from tidegate.load.handover import PARENT_VARIABLE

_CHECK_S = 1.0


def quit_without_parent(environment: Environment) -> None:
    """Make Locust quit once the process that started it is no longer its parent.

    A driver that was killed cannot stop its load, and nobody would know that it still runs.
    Without the variable nothing is watched.
    """
    named = os.environ.get(PARENT_VARIABLE)
    if named is None:
        return
    # The driver's own child has it as its parent; the processes of --processes have that child.
    forked = isinstance(environment.runner, WorkerRunner)
    parent = os.getppid() if forked else int(named)

    def watch() -> None:
        while os.getppid() == parent:
            gevent.sleep(_CHECK_S)
        logging.getLogger(__name__).error("the process that started the load is gone; quitting")
        if environment.runner is not None:
            environment.runner.quit()

    gevent.spawn(watch)
