"""Programs the kit runs, and their versions."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.checks.engine import version_numbers
from tidegate.host.facts import Facts
from tidegate.host.paths import bin_dir
from tidegate.host.pending import Pending
from tidegate.host.report import Check, Outcome
from tidegate.proc import run

_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?[\w.+-]*)")
_BROUGHT = "`tidegate up` brings it"


@dataclass(frozen=True)
class Tool:
    """A program and how it tells its version.

    Args:
        name: its name on PATH.
        arguments: what makes it print its version; None for a program that prints none.
        oldest: oldest version that works, as numbers.
        cure: what to do where it is absent or older.
    """

    name: str
    arguments: tuple[str, ...] | None
    oldest: tuple[int, ...]
    cure: str


TOOLS: tuple[Tool, ...] = (
    Tool(
        "docker", ("--version",), (20, 10), "install a Docker client; on Debian `tidegate up` does, as root"
    ),
    Tool("kind", ("version",), (0, 30), _BROUGHT),
    Tool("kubectl", ("version", "--client=true"), (1, 35), _BROUGHT),
    Tool("helm", ("version", "--short"), (3, 18), _BROUGHT),
    Tool("pulumi", ("version",), (3, 200), _BROUGHT),
    Tool("pulumi-language-python", None, (), _BROUGHT),
    Tool("go", ("version",), (1, 21), "needed only to build images and tools where no registry answers"),
    Tool("git", ("--version",), (2, 0), "install git; reports then say which commit was measured"),
    Tool("uv", ("--version",), (0, 5), "install uv; it installs this project's exact dependencies"),
)


def find_version(output: str) -> str:
    """The first thing in a program's output that looks like a version, without a leading `v`."""
    match = _VERSION.search(output)
    return match[1] if match else ""


def judge_tool(tool: Tool, place: str | None, output: str) -> Check:
    """Whether a program is there and new enough. Nothing here is fatal: what is missing can be brought."""

    def check(outcome: Outcome, found: str, cure: str = "") -> Check:
        return Check(group="tools", name=tool.name, outcome=outcome, found=found, cure=cure)

    if place is None:
        return check(Outcome.WARN, "not found", tool.cure)
    if tool.arguments is None:
        return check(Outcome.OK, f"at {place}")
    version = find_version(output)
    if not version:
        return check(Outcome.WARN, f"{place} does not tell its version", tool.cure)
    if version_numbers(version) < tool.oldest:
        oldest = ".".join(map(str, tool.oldest))
        return check(Outcome.WARN, f"{version} at {place}, older than {oldest}", tool.cure)
    return check(Outcome.OK, f"{version} at {place}")


def _look(tool: Tool, search: str) -> Check:
    place = shutil.which(tool.name, path=search)
    output = ""
    if place is not None and tool.arguments is not None:
        try:
            done = run([place, *tool.arguments], check=False, timeout_s=4, env=_quiet_environment())
            output = done.stdout or done.stderr
        except (TidegateError, OSError):
            output = ""
    return judge_tool(tool, place, output)


def _quiet_environment() -> dict[str, str]:
    return {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1", "GOTOOLCHAIN": "local"}


def tool_checks(facts: Facts) -> list[Check]:
    """Every program, in the kit's own folder first and then on PATH, all at once."""
    search = os.pathsep.join([str(bin_dir()), os.environ.get("PATH", os.defpath)])

    def looking(tool: Tool) -> Pending[Check]:
        return Pending(lambda: _look(tool, search))

    answers = [looking(tool) for tool in TOOLS]
    return [answer.get(facts.left_s()) for answer in answers]


def plugin_folders(env: Mapping[str, str], *, home: Path, state: Path) -> list[Path]:
    """Where Pulumi keeps plugins: where it is told to, in the kit's state, in the user's home."""
    told = env.get("PULUMI_HOME")
    bases = [*([Path(told)] if told else []), state / "pulumi", home / ".pulumi"]
    return [base / "plugins" for base in bases]


def judge_plugin(version: str, folders: list[Path]) -> Check:
    """Whether the Kubernetes provider of exactly the SDK's version is installed."""
    name = f"resource-kubernetes-v{version}"
    for folder in folders:
        if (folder / name / "pulumi-resource-kubernetes").is_file():
            return Check(group="tools", name="pulumi plugin", outcome=Outcome.OK, found=f"{name} in {folder}")
    return Check(
        group="tools",
        name="pulumi plugin",
        outcome=Outcome.WARN,
        found=f"{name} is not installed",
        cure=_BROUGHT,
    )


def plugin_check(facts: Facts) -> Check:
    """Pulumi's Kubernetes provider."""
    version = importlib.metadata.version("pulumi-kubernetes")
    return judge_plugin(version, plugin_folders(os.environ, home=Path.home(), state=facts.state))
