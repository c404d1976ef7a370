"""`python -m bench mutations`: does the verdict find twelve broken set-ups, and hold the sound one?

Exit codes: 0 every verdict is as expected, 1 one is not, 3 something could not be tried, 130 interrupted (the
fault was lifted and the stack put back).
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console

from bench.mutations.catalogue import MUTATIONS, SOUND_EXPERIMENTS, Mutation, named, sound
from bench.mutations.effect import wait_until_settled
from bench.mutations.objects import Changes, left
from bench.mutations.results import FOLDER, Result, read, save, summary, view
from bench.mutations.trying import journal, put_back, require_stack, try_out
from tidegate.chaos.conduct import Trying
from tidegate.chaos.where import where
from tidegate.errors import TidegateError
from tidegate.host.lock import state_lock
from tidegate.prepare import attach

SOUND_TIMES = 10
Job = tuple[Mutation, int]
"""A set-up, and the how-manieth time it is tried."""


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench mutations", description=__doc__)
    parser.add_argument("--stack", default="chaos", help="Pulumi stack that is deployed; default chaos")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a mutation, or sound")
    parser.add_argument(
        "--repeat", type=int, default=1, metavar="N", help="how often each mutation; default 1"
    )
    parser.add_argument(
        "--sound", type=int, default=SOUND_TIMES, metavar="N", help=f"how often the sound one; {SOUND_TIMES}"
    )
    parser.add_argument("--users", type=int, default=6, help="simulated users of the load; default 6")
    parser.add_argument("--results", type=Path, default=FOLDER, help="where results are kept")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of the Runs")
    parser.add_argument("--again", action="store_true", help="try even what has a result")
    parser.add_argument("--list", action="store_true", dest="listed", help="print the mutations")
    parser.add_argument("--undo", action="store_true", help="only put back what a killed call left")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    options = parser.parse_args(arguments)
    if min(options.repeat, options.sound, options.users) < 1:
        parser.error("--repeat, --sound and --users must be at least 1")
    return options


def jobs(only: Sequence[str], repeat: int, sound_times: int) -> list[Job]:
    """Return what is to be tried: each experiment on the sound stack, the mutations, the rest of the sound.

    Raises:
        TidegateError: `only` names what there is not.
    """
    broken = [(each, number) for number in range(1, repeat + 1) for each in named(only)]
    if only and "sound" not in only:
        return broken
    whole = [(sound(number), number) for number in range(1, sound_times + 1)]
    first = len(SOUND_EXPERIMENTS)
    return whole if only == ["sound"] else [*whole[:first], *broken, *whole[first:]]


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; see this module's own text."""
    options = _options(arguments)
    try:
        if options.listed:
            _list()
            return 0
        wanted = jobs(options.only, options.repeat, options.sound)
        # What was changed is put back on the way out, whoever ends us.
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
        with state_lock("bench mutations"):
            return _all(options, wanted)
    except TidegateError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        print("interrupted: the fault is lifted and the stack put back", file=sys.stderr)
        return 130


def _list() -> None:
    for each in MUTATIONS:
        print(f"{each.name}\t{each.experiment}\t{each.expected}\t{each.how}")
    print(f"sound\t{', '.join(SOUND_EXPERIMENTS)}\theld\t{sound(1).how}")


def _all(options: argparse.Namespace, wanted: Sequence[Job]) -> int:
    trying = _trying(options)
    found: list[Result] = []
    missing: list[str] = []
    try:
        _mend(trying)
        if options.undo:
            return 0
        require_stack(trying.site.config)
        for result, error in _each(trying, wanted, options.results, again=options.again):
            if result is None:
                missing.append(error)
            else:
                found.append(result)
    finally:
        # Also after Ctrl-C: what was found so far was measured.
        if found or missing:
            _show(found, missing, options.output)
    if missing:
        return 3
    return 0 if all(each.as_expected for each in found) else 1


def _trying(options: argparse.Namespace) -> Trying:
    site = attach(options.stack)
    place = where(site.config.cluster.name, context="", allow_foreign=False)
    return Trying(site, place, site.gateway, options.runs, options.users, Console(stderr=True))


def _mend(trying: Trying) -> None:
    """Put back what a call that was killed has left."""
    cluster = trying.place.open()
    try:
        done = put_back(
            Changes(cluster, journal(trying.site)), lambda: wait_until_settled(cluster, _say), _say
        )
    finally:
        cluster.close()
    if done:
        _say(f"{len(done)} changes of an earlier call were put back")


def _each(
    trying: Trying, wanted: Sequence[Job], folder: Path, *, again: bool
) -> Iterator[tuple[Result | None, str]]:
    for mutation, number in wanted:
        name = f"{mutation.name} {number}"
        kept = None if again else read(folder, mutation, number)
        if kept is not None:
            _say(f"{name}: kept from before; --again tries it anew")
            yield kept, ""
            continue
        _say(f"{name}: {mutation.how}")
        try:
            result = try_out(trying, mutation, number, _say)
        except TidegateError as error:
            if left(journal(trying.site)):
                raise  # on a stack that is still broken nothing else can be tried
            _say(f"error: {name}: {error}")
            yield None, f"{name}: {error}"
            continue
        save(folder, result)
        said = "as expected" if result.as_expected else "NOT as expected"
        _say(f"{name}: {result.finding}, {said}: {result.reasons[0]}")
        yield result, ""


def _show(found: Sequence[Result], missing: Sequence[str], output: str) -> None:
    if output == "json":
        print(json.dumps(summary(found, missing), indent=1))
        return
    Console().print(view(found))
    for each in missing:
        print(f"not tried: {each}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
