"""Running apt-get to its end."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

from tidegate.errors import TidegateError
from tidegate.host.progress import step
from tidegate.host.services import no_service_starts
from tidegate.proc import run

LOCK_WAIT_S = 300
_LISTS = Path("/var/lib/apt/lists")
_LISTS_MAX_AGE_S = 24 * 3600
_LOCKED = ("Could not get lock", "Unable to lock")


def candidate(name: str) -> bool:
    """Whether apt can install a package of this name."""
    done = run(["apt-cache", "policy", name], check=False, timeout_s=30, env=_environment())
    return any(
        line.strip().startswith("Candidate:") and "(none)" not in line for line in done.stdout.splitlines()
    )


def install(names: Sequence[str]) -> None:
    """Install packages without what they only recommend, starting none of their services.

    Recommendations stay out because some change the machine: cgroupfs-mount, recommended by docker.io,
    mounts control groups. An interrupt takes effect when dpkg has finished: cutting it short breaks a system.

    Raises:
        TidegateError: apt-get failed; its own last complaint is given.
    """
    with step(f"Installing {', '.join(names)}") as tell, no_service_starts():
        if _lists_are_old() or not all(candidate(name) for name in names):
            tell("package lists")
            _apt(["update"], tell)
        _apt(["install", "--yes", "--no-install-recommends", *names], tell)


def progress_of(line: str) -> str | None:
    """What one line of apt's status channel says, as "42 %: Unpacking redis"; None for other lines.

    Format: apt's doc/README.progress-reporting.
    """
    parts = line.strip().split(":", 3)
    if len(parts) != 4 or parts[0] not in ("dlstatus", "pmstatus"):
        return None
    try:
        return f"{float(parts[2]):.0f} %: {parts[3]}"
    except ValueError:
        return None


def complaint(output: str) -> str:
    """apt's own reason for a failure: the first line that begins with `E:` (later ones follow from it), or
    else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line.removeprefix("E:").strip() for line in lines if line.startswith("E:")]
    return errors[0] if errors else (lines or ["no output"])[-1]


def _environment() -> dict[str, str]:
    wanted = {
        "DEBIAN_FRONTEND": "noninteractive",
        "DEBCONF_NONINTERACTIVE_SEEN": "true",
        "NEEDRESTART_SUSPEND": "1",
        "LC_ALL": "C.UTF-8",
    }
    return {**os.environ, **wanted}


def _lists_are_old() -> bool:
    ages_s = [time.time() - each.stat().st_mtime for each in _LISTS.glob("*_InRelease")]
    return not ages_s or min(ages_s) > _LISTS_MAX_AGE_S


def _apt(arguments: Sequence[str], tell: Callable[[str], None]) -> None:
    deadline_s = time.monotonic() + LOCK_WAIT_S
    while True:
        code, output = _attempt(arguments, tell)
        if code == 0:
            return
        # apt waits for dpkg's lock itself, but not for the one on the package lists.
        if any(text in output for text in _LOCKED) and time.monotonic() < deadline_s:
            tell("another package manager is at work, waiting")
            time.sleep(2.0)
            continue
        raise TidegateError(
            f"apt-get {arguments[0]} failed: {complaint(output)}",
            cure=f"see what `apt-get {' '.join(arguments)}` says",
        )


def _attempt(arguments: Sequence[str], tell: Callable[[str], None]) -> tuple[int, str]:
    read_end, write_end = os.pipe()
    options = [f"APT::Status-Fd={write_end}", f"DPkg::Lock::Timeout={LOCK_WAIT_S}", "Dpkg::Use-Pty=0"]
    keep_configuration = ["Dpkg::Options::=--force-confdef", "Dpkg::Options::=--force-confold"]
    words = ["apt-get", "-q"]
    for option in (*options, *keep_configuration):
        words += ["-o", option]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        child = subprocess.Popen(
            [*words, *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(write_end,),
            start_new_session=True,
        )
        os.close(write_end)
        reader = threading.Thread(
            target=_follow, args=(os.fdopen(read_end, errors="replace"), tell), daemon=True
        )
        reader.start()
        code = _wait_through_interrupts(child, tell)
        reader.join(timeout=1.0)
        output.seek(0)
        return code, output.read()


def _follow(channel: IO[str], tell: Callable[[str], None]) -> None:
    with channel:
        for line in channel:
            text = progress_of(line)
            if text is not None:
                tell(text)


def _wait_through_interrupts(child: subprocess.Popen[bytes], tell: Callable[[str], None]) -> int:
    interrupted = False
    while True:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            interrupted = True
            tell("interrupted; letting the package manager finish")
            continue
        if interrupted:
            raise KeyboardInterrupt
        return code
