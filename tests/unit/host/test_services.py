from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tidegate.host.daemon.processes import process
from tidegate.host.services import no_service_starts, policy_script


def ask(policy: Path) -> int:
    """As invoke-rc.d asks: `policy-rc.d <service> <action>`."""
    return subprocess.run([str(policy), "redis-server", "start"], check=False, timeout=60).returncode


def test_starts_are_forbidden_meanwhile_and_nothing_is_left(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with no_service_starts(policy):
        assert ask(policy) == 101
    assert list(tmp_path.iterdir()) == []


def test_an_administrators_policy_is_left_alone(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 104\n")
    policy.chmod(0o755)
    with no_service_starts(policy):
        assert ask(policy) == 104
    assert policy.read_text() == "#!/bin/sh\nexit 104\n"


def test_a_policy_of_a_killed_process_forbids_nothing_and_goes(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    code = (
        "import os, signal; from pathlib import Path; from tidegate.host.services import no_service_starts\n"
        f"with no_service_starts(Path({str(policy)!r})): os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == -9
    assert policy.exists()
    assert ask(policy) == 0
    assert not policy.exists()


def test_a_later_process_with_the_same_number_is_not_taken_for_it(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    own = process(os.getpid())
    assert own is not None
    policy.write_text(policy_script(own.pid, own.start_ticks + 1))
    policy.chmod(0o755)
    assert ask(policy) == 0


def test_a_stale_policy_of_ours_is_replaced(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text(policy_script(1, 1))
    with no_service_starts(policy):
        assert ask(policy) == 101
    assert not policy.exists()
