"""Installing packages without the services in them being started."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tidegate.host.daemon.processes import process
from tidegate.proc import run

POLICY = Path("/usr/sbin/policy-rc.d")
"""Asked by invoke-rc.d(8) and deb-systemd-invoke(1p) before every start; exit status 101 forbids it."""

_MARK = "# made by tidegate for one installation"
_SYSTEMD = Path("/run/systemd/system")
_UNITS = ("service", "socket")


@contextmanager
def no_service_starts(policy: Path = POLICY) -> Generator[None]:
    """Let package scripts start no service while the block runs, and leave nothing behind.

    An administrator's own policy is left as it is. Ours names this process, so that it forbids nothing and
    removes itself when it is next asked after this process has been killed. Units that the packages enable
    for the next boot are disabled again.
    """
    enabled = _enabled_units()
    made = _make_policy(policy)
    try:
        yield
    finally:
        if made:
            policy.unlink(missing_ok=True)
        fresh = sorted(_enabled_units() - enabled)
        if fresh:
            run(["systemctl", "disable", *fresh], check=False, timeout_s=60)


def policy_script(pid: int, start_ticks: int) -> str:
    """A policy that forbids every start while this process lives."""
    return (
        "#!/bin/sh\n"
        f"{_MARK}; it may be deleted\n"
        f"started=$(sed 's/.*) //' /proc/{pid}/stat 2>/dev/null | cut -d' ' -f20)\n"
        f'[ "$started" = "{start_ticks}" ] && exit 101\n'
        'rm -f -- "$0"\n'
        "exit 0\n"
    )


def _make_policy(policy: Path) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if _MARK in policy.read_text():
            policy.unlink()
    own = process(os.getpid())
    if own is None:
        return False
    try:
        descriptor = os.open(policy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as handle:
        handle.write(policy_script(own.pid, own.start_ticks))
    policy.chmod(0o755)
    return True


def _enabled_units() -> set[str]:
    if not _SYSTEMD.is_dir():
        return set()
    command = ["systemctl", "list-unit-files", "--no-legend", "--no-pager", "--state=enabled"]
    done = run([*command, f"--type={','.join(_UNITS)}"], check=False, timeout_s=30)
    return {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
