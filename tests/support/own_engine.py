"""A real container engine for one test session, beside whatever else runs on this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tidegate.host.engine import EngineSettings, start_engine, stop_engine

NEEDED = ("dockerd", "containerd", "runc", "docker", "ip", "iptables")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SETTINGS = EngineSettings(iptables=False, bridge="tgimages0", bip="10.213.78.1/24", shutdown_timeout_s=2)
"""No firewall rules and a bridge of its own, so that no other engine on this machine is disturbed."""


def lacking(what: list[str]) -> None:
    """Skip what this machine cannot test; in CI nothing may go untested unseen."""
    if what:
        told = f"needs {', '.join(what)}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)


@contextmanager
def own_engine(state: Path) -> Generator[dict[str, str]]:
    """Run an engine with nothing in it; gives the variables that point docker at it."""
    missing = [name for name in NEEDED if shutil.which(name, path=SEARCH) is None]
    lacking([*missing, *([] if os.geteuid() == 0 else ["root"])])
    engine = start_engine(SETTINGS, state=state)
    try:
        yield dict(engine.env())
    finally:
        stop_engine(state=state, remove_data=True)
