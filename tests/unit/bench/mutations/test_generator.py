"""The generator is held back, and only it, and never left stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.mutations.generator import held_back, locusts

SLEEPS = "import time\nwhile True: time.sleep(0.05)"


@contextmanager
def child(name: str) -> Generator[int]:
    with subprocess.Popen([sys.executable, "-c", SLEEPS, name]) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_it_is_stopped_now_and_then_and_runs_again(tmp_path: Path) -> None:
    with child("locust") as locust, child("other") as other:
        with held_back(tmp_path):
            for wanted in (True, False, True):
                while stopped(locust) is not wanted:
                    assert not stopped(other)
                    time.sleep(0.01)
        assert not stopped(locust)


def test_it_runs_again_when_the_load_is_broken_off(tmp_path: Path) -> None:
    with child("locust") as locust:

        def broken_off() -> None:
            with held_back(tmp_path):
                while not stopped(locust):
                    time.sleep(0.01)
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            broken_off()
        assert not stopped(locust)


def test_only_locusts_of_this_process_are_found() -> None:
    with child("locust") as locust, child("other") as other:
        while locust not in locusts():  # until it has become the program that it is to run
            time.sleep(0.01)
        assert other not in locusts()
