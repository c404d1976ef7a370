"""The operating system, the interpreter, and what this user may do."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

from tidegate.host.facts import Facts
from tidegate.host.packages import is_debian, missing_packages
from tidegate.host.report import Check, Outcome

_ARCHITECTURES = ("x86_64", "amd64", "aarch64", "arm64")


def os_name(release: str) -> str:
    """The name for people from the text of `/etc/os-release`; empty if it tells none."""
    for line in release.splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return value.strip().strip('"')
    return ""


def judge_platform(system: str, machine: str, name: str) -> Check:
    """Linux on a usual processor is home; macOS works with an engine that brings its own Linux."""
    found = f"{name or system} on {machine}"
    if machine.lower() not in _ARCHITECTURES or system not in ("Linux", "Darwin"):
        return Check(
            group="system",
            name="platform",
            outcome=Outcome.FAIL,
            found=found,
            cure="use Linux or macOS on x86_64 or arm64",
        )
    if system == "Darwin":
        return Check(
            group="system",
            name="platform",
            outcome=Outcome.WARN,
            found=found,
            cure="start a Docker engine yourself; images come from a registry only",
        )
    return Check(group="system", name="platform", outcome=Outcome.OK, found=found)


def platform_check(facts: Facts) -> Check:
    """Operating system and processor."""
    del facts
    release = Path("/etc/os-release")
    name = os_name(release.read_text()) if release.is_file() else ""
    return judge_platform(platform.system(), platform.machine(), name)


def python_check(facts: Facts) -> Check:
    """The interpreter this runs in; an older one could not have started it."""
    del facts
    return Check(
        group="system",
        name="python",
        outcome=Outcome.OK,
        found=f"{platform.python_version()} at {sys.executable}",
    )


def judge_access(*, root: bool, answers: bool, forbidden: str, missing: list[str], debian: bool) -> Check:
    """Whether this user gets to an engine: one that answers, or one that root starts."""

    def check(outcome: Outcome, found: str, cure: str = "") -> Check:
        return Check(group="system", name="access", outcome=outcome, found=found, cure=cure)

    user = "root" if root else "an ordinary user"
    if answers:
        return check(Outcome.OK, f"{user}, and a container engine answers")
    if forbidden:
        return check(
            Outcome.FAIL,
            f"{user}; an engine listens at {forbidden} but not for this user",
            "join the socket's group (often `docker`) and log in again, or run as root",
        )
    if not root:
        return check(
            Outcome.FAIL,
            "an ordinary user, and no container engine answers",
            "start a Docker engine, or run as root so that one can be started",
        )
    if not missing:
        return check(Outcome.OK, "root; an engine will be started when one is needed")
    if debian:
        return check(
            Outcome.WARN, f"root; packages to install first: {', '.join(missing)}", "`tidegate up` does"
        )
    return check(
        Outcome.FAIL, f"root, but {', '.join(missing)} is missing", "install and start a Docker engine"
    )


def access_check(facts: Facts) -> Check:
    """Root, or a container engine that answers this user."""
    tried = facts.probes()
    answers = bool(tried and tried[-1].engine)
    return judge_access(
        root=os.geteuid() == 0,
        answers=answers,
        forbidden=next((p.endpoint.host for p in tried if p.forbidden), ""),
        missing=[] if answers else missing_packages("engine"),
        debian=is_debian(),
    )
