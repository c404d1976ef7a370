from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from tidegate.host.pending import Pending


def test_hands_on_results_and_errors() -> None:
    def fail() -> int:
        raise ValueError("no")

    assert Pending(lambda: None).get(30) is None
    assert Pending(lambda: 3).get(30) == 3
    with pytest.raises(ValueError, match="no"):
        Pending(fail).get(30)


def test_gives_up_waiting_but_not_the_answer() -> None:
    gate = threading.Event()
    pending = Pending(gate.wait)
    with pytest.raises(TimeoutError):
        pending.get(-1)
    gate.set()
    assert pending.get(30) is True


def test_one_that_never_ends_does_not_keep_the_process() -> None:
    code = "import threading; from tidegate.host.pending import Pending; Pending(threading.Event().wait)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
