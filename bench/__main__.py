"""`python -m bench [NAME ...]` measures; `python -m bench report` makes docs/benchmarks.md of all that.

`python -m bench mutations` puts the verdict on trial; see `bench.mutations`. `python -m bench killed`
kills the tool in the middle of each experiment; see `bench.killed`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench import raw as kept
from bench.machine import facts, raise_file_limit, stolen_s, two_cores
from bench.page import page
from bench.raw import Raw
from bench.suite import NAMES, REPETITIONS, Context, benchmark, temporary_folder
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root

PAGE = Path("docs") / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        0, or 3 when the machine lacks something (one line on standard error says what, and the cure).
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["mutations"]:
        from bench.mutations.cli import main as mutations

        return mutations(words[1:])
    if words[:1] == ["killed"]:
        from bench.killed import main as killed

        return killed(words[1:])
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"{', '.join(NAMES)}, or report; all benchmarks without a finished result by default",
    )
    parser.add_argument("--repetitions", type=int, default=None, help=f"default {REPETITIONS}, quick 1")
    parser.add_argument("--again", action="store_true", help="measure even where a result is kept")
    parser.add_argument("--quick", action="store_true", help="small doses, kept apart: to see that it works")
    parser.add_argument("--results", type=Path, default=None, help="where raw figures are kept")
    parser.add_argument("-o", "--output", choices=("text", "json"), default="text")
    options = parser.parse_args(words)
    folder: Path = options.results or (kept.FOLDER / "quick" if options.quick else kept.FOLDER)
    try:
        if options.names == ["report"]:
            return _report(folder)
        unknown = sorted(set(options.names) - set(NAMES))
        if unknown:
            parser.error(f"there is no benchmark {', '.join(unknown)}; choose from {', '.join(NAMES)}")
        repetitions = options.repetitions or (1 if options.quick else REPETITIONS)
        if repetitions < 1:
            parser.error("--repetitions must be at least 1")
    except TidegateError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    # What was started is stopped on the way out, whoever ends us.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    failed = 0
    for name in options.names or NAMES:
        try:
            found = kept.read(name, folder)
            if found is not None and not options.again:
                said = f"{name}: kept from before in {kept.place(name, folder)}; --again measures anew"
                print(said, file=sys.stderr)
            else:
                found = _measure(name, repetitions, quick=options.quick, folder=folder)
        except TidegateError as error:
            # The others can still be measured; a later call tries this one again.
            print(f"error: {name}: {error}", file=sys.stderr)
            failed += 1
            continue
        print(json.dumps(asdict(found), indent=1) if options.output == "json" else _shown(found))
    return 3 if failed else 0


def _measure(name: str, repetitions: int, *, quick: bool, folder: Path) -> Raw:
    cores, module = two_cores(), benchmark(name)
    allowed = os.sched_getaffinity(0)
    raise_file_limit()
    began_at, began_stolen_s = time.time(), stolen_s()
    print(f"{name}: about {module.MINUTES:g} min in full", file=sys.stderr, flush=True)
    # This program waits where the generator is, and so do the databases that it starts.
    os.sched_setaffinity(0, {cores.generator})
    try:
        with temporary_folder() as work:
            context = Context(cores, repetitions, quick, work)
            samples = list(module.measure(context))
    finally:
        os.sched_setaffinity(0, allowed)
    raw = Raw(
        benchmark=name,
        began_at=began_at,
        took_s=time.time() - began_at,
        stolen_s=stolen_s() - began_stolen_s,
        repetitions=repetitions,
        quick=quick,
        machine=facts(),
        samples=samples,
        notes=context.notes,
    )
    print(f"{name}: raw figures in {kept.write(raw, folder)}", file=sys.stderr, flush=True)
    return raw


def _shown(raw: Raw) -> str:
    return f"\n# {benchmark(raw.benchmark).TITLE}\n\n{benchmark(raw.benchmark).render(raw)}\n"


def _report(folder: Path) -> int:
    found = kept.read_all(NAMES, folder)
    file = project_root() / PAGE
    file.write_text(page(found))
    print(f"{file}: {len(found)} of {len(NAMES)} benchmarks measured", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
