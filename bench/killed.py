"""`python -m bench killed`: is a fault gone by itself when the tool that made it was killed by SIGKILL?

Each experiment is done by `tidegate chaos` in a process of its own, which is killed while the fault is there.
What then happens is watched through the API: when the last fault object is gone and every node is Ready and
takes pods, and what `tidegate chaos --clean` still finds.

Exit codes: 0 every fault was gone within its bound and nothing was left, 1 one was not, 3 something could not
be tried, 130 interrupted (what was left is lifted).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from tidegate.chaos.catalogue import available, load_experiments
from tidegate.chaos.cluster import GRACE_S, Cluster
from tidegate.chaos.engine import LIFTER_MARGIN_S
from tidegate.chaos.experiment import Experiment
from tidegate.chaos.injector import word
from tidegate.chaos.where import where
from tidegate.errors import TidegateError
from tidegate.models.base import Model
from tidegate.prepare import attach
from tidegate.proc import run
from tidegate.run.objects import condition, dig, text

FOLDER = Path(__file__).parent / "results" / "killed"
_INTO_FAULT_S = 10.0
_INTO_MOMENT_S = 0.3
"""Seconds into the fault when the tool is killed; the second where it is over as soon as it is injected."""
_BEGIN_S = 900.0
"""Seconds until the fault is made: the service comes to rest first, then what is usual is measured."""
_NODE_S = 120.0
"""Seconds that a node's container takes until the node is Ready again."""
_COMMANDS_S = 10.0
"""Seconds that the lifter's own commands take, on cores that are busy."""
_TICK_S = 0.5
_LEFT = "nothing was left"


class Killed(Model):
    """One experiment whose tool was killed."""

    name: str = Field(description="The experiment.")
    kind: str = Field(description="Of its object.")
    killed_s: float = Field(description="Seconds from the making of the fault to the kill.")
    there: tuple[str, ...] = Field(description="What was there at the kill, as the API has it.")
    expires_s: float = Field(description="Seconds from the making after which it ends if nobody ends it.")
    bound_s: float = Field(
        description="The same with the lifter's margin, the grace of the injector, the start of a node."
    )
    over_s: float | None = Field(
        description="Seconds from the making until no fault was on any more, as injector and nodes say it."
    )
    gone_s: float | None = Field(
        description="Seconds from the making until nothing was left; none when something was after the bound."
    )
    ended_s: float | None = Field(
        description="Seconds from the kill until no process of the tool ran but the lifter."
    )
    cleaned: str = Field(description="What `tidegate chaos --clean` said afterwards.")

    @property
    def well(self) -> bool:
        """Whether nothing was left, of the fault or of the tool."""
        return (
            self.over_s is not None
            and self.gone_s is not None
            and self.ended_s is not None
            and self.cleaned == _LEFT
        )


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; see this module's own text."""
    parser = argparse.ArgumentParser(prog="python -m bench killed", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; all by default")
    parser.add_argument("--stack", default="chaos", help="Pulumi stack that is deployed; default chaos")
    parser.add_argument("--results", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--again", action="store_true", help="try even what has a result")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    found: list[Killed] = []
    failed = False
    try:
        for each in load_experiments(options.names or available()):
            try:
                found.append(_kept_or_tried(each, options))
            except TidegateError as error:
                print(f"error: {each.name}: {error}", file=sys.stderr)
                failed = True
    except KeyboardInterrupt:
        print(f"interrupted; {_clean(options.stack)}", file=sys.stderr)
        return 130
    finally:
        if found:
            shown = [each.model_dump(mode="json") | {"well": each.well} for each in found]
            print(json.dumps(shown, indent=1) if options.output == "json" else _table(found))
    return 3 if failed else int(not all(each.well for each in found))


def _kept_or_tried(experiment: Experiment, options: argparse.Namespace) -> Killed:
    file: Path = options.results / f"{experiment.name}.json"
    if file.exists() and not options.again:
        return Killed.model_validate_json(file.read_bytes())
    site = attach(options.stack)
    place = where(site.config.cluster.name, context="", allow_foreign=False)
    cluster = place.open()
    try:
        killed = try_out(cluster, experiment, options.stack, {**os.environ, **site.environment})
    finally:
        cluster.close()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(killed.model_dump_json(indent=1) + "\n")
    print(_line(killed), file=sys.stderr, flush=True)
    return killed


def try_out(cluster: Cluster, experiment: Experiment, stack: str, environment: Mapping[str, str]) -> Killed:
    """Have the tool do an experiment, kill it in the middle, and watch what is left until the bound.

    Args:
        cluster: the stack's API.
        experiment: what is done.
        stack: name of the stack.
        environment: in which docker finds its engine.

    Raises:
        TidegateError: the tool ended before it made the fault.
    """
    bound_s = experiment.expires_s + LIFTER_MARGIN_S + GRACE_S + _COMMANDS_S
    if experiment.from_host:
        bound_s += _NODE_S
    with tempfile.TemporaryDirectory() as runs:
        log = Path(runs) / "said"
        with log.open("wb") as output:
            child = subprocess.Popen(
                _tool(experiment.name, "--stack", stack, "--runs", runs),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            made_s = _until_made(child, experiment, log)
            time.sleep(_INTO_MOMENT_S if experiment.at_once else _INTO_FAULT_S)
            there = _there(cluster, experiment, environment)
        finally:
            if child.poll() is None:
                child.kill()
            child.wait()
        killed_s = time.monotonic()
        said = log.read_text(errors="replace")
        if f"{experiment.name}: lifting the fault" in said:
            there = ("nothing: it was lifted before the kill",)
        over_s = gone_s = ended_s = None
        while None in (over_s, gone_s, ended_s) and time.monotonic() < made_s + bound_s:
            now_s = time.monotonic()
            if over_s is None and not _on(cluster, experiment, environment):
                over_s = now_s - made_s
            if gone_s is None and not _disturbed(cluster, environment):
                gone_s = now_s - made_s
            if ended_s is None and not session(child.pid):
                ended_s = now_s - killed_s
            time.sleep(_TICK_S)
    return Killed(
        name=experiment.name,
        kind=experiment.kind,
        killed_s=round(killed_s - made_s, 1),
        there=there,
        expires_s=experiment.expires_s,
        bound_s=bound_s,
        over_s=_rounded(over_s),
        gone_s=_rounded(gone_s),
        ended_s=_rounded(ended_s),
        cleaned=_clean(stack),
    )


def _until_made(child: subprocess.Popen[bytes], experiment: Experiment, log: Path) -> float:
    """Wait until the tool makes the fault; return when that was, by the monotonic clock."""
    ends_s = time.monotonic() + _BEGIN_S
    while f"making the fault: {experiment.name}" not in log.read_text(errors="replace"):
        if child.poll() is not None or time.monotonic() > ends_s:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise TidegateError(f"the fault was never made: {' '.join(last)}")
        time.sleep(0.05)
    return time.monotonic()


def _there(cluster: Cluster, experiment: Experiment, environment: Mapping[str, str]) -> tuple[str, ...]:
    found: list[str] = []
    for kind, name in cluster.left():
        said = word(cluster.get(kind, name) or {})
        found.append(f"{kind} {name}{' injected' if said.injected else ''}")
    found += _nodes(cluster, environment)
    if not found and experiment.from_host and experiment.at_once:
        return ("a pod that is made anew",)
    return tuple(found)


def _nodes(cluster: Cluster, environment: Mapping[str, str]) -> list[str]:
    """Return what is wrong with nodes; the API knows of a lost one only after most of a minute."""
    found: list[str] = []
    for node in cluster.nodes():
        name, ready = text(node, "metadata", "name"), condition(node, "Ready")
        if dig(node, "spec", "unschedulable"):
            found.append(f"node {name} cordoned")
        if ready is None or ready.get("status") != "True":
            found.append(f"node {name} not Ready")
        words = ["docker", "inspect", "-f", "{{.State.Running}}", name]
        if run(words, env=environment, timeout_s=30, check=False).stdout.strip() == "false":
            found.append(f"node {name} stopped")
    return found


def _on(cluster: Cluster, experiment: Experiment, environment: Mapping[str, str]) -> bool:
    """Whether a fault is on: nodes are not as they were, or an object there does not say that it is over."""
    try:
        if _nodes(cluster, environment):
            return True
        for kind, name in cluster.left():
            said = word(cluster.get(kind, name) or {})
            if kind == "Workflow":
                continue  # its faults have objects of their own, and their deadline ends them
            # A Schedule makes more of them; what is over as soon as it is made has nothing to recover from.
            if kind == "Schedule" or not (said.recovered or (said.injected and experiment.at_once)):
                return True
    except TidegateError:
        return True
    return False


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _disturbed(cluster: Cluster, environment: Mapping[str, str]) -> bool:
    try:
        return bool(cluster.left() or _nodes(cluster, environment))
    except TidegateError:
        return True  # an API server that does not answer says nothing of what is left


def session(number: int) -> list[int]:
    """Return the processes of a session that still run."""
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # pid (name) state ppid pgrp session
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == number and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return found


def _tool(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("tidegate")), "chaos", *words]


def _clean(stack: str) -> str:
    done = subprocess.run(
        _tool("--clean", "--stack", stack),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env=os.environ,
    )
    return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


def _line(each: Killed) -> str:
    over = "NOT over" if each.over_s is None else f"over {each.over_s:.0f} s after it was made"
    gone = "NOT gone" if each.gone_s is None else f"its object gone after {each.gone_s:.0f} s"
    ended = "NOT ended" if each.ended_s is None else f"ended {each.ended_s:.0f} s after the kill"
    return (
        f"{each.name}: killed at {each.killed_s:.0f} s ({', '.join(each.there) or 'nothing there yet'}); "
        f"{over}, {gone}, expiry {each.expires_s:.0f} s; its processes {ended}; --clean: {each.cleaned}"
    )


def _table(found: Sequence[Killed]) -> str:
    well = sum(each.well for each in found)
    return "\n".join([*(_line(each) for each in found), f"{well} of {len(found)}: nothing was left"])
