"""`tidegate hpa`: what the autoscaler decides, and why."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from tidegate.errors import TidegateError
from tidegate.simulate.decisions import LONGEST_LINE

app = typer.Typer(help="What the Kubernetes autoscaler decides on given observations, exactly.")

Histories = Annotated[Path, typer.Argument(help="File of histories, one JSON object a line; - is stdin.")]
LongestMib = Annotated[
    int, typer.Option("--longest-mib", min=1, max=4096, help="Longest line that is read, mebibytes.")
]


@app.command("decide")
def decide_command(
    histories: Histories = Path("-"),
    explain: Annotated[bool, typer.Option("--explain", help="Add each proposal and each limit.")] = False,
    longest_mib: LongestMib = LONGEST_LINE >> 20,
) -> None:
    """Read histories, print the controller's decisions. Schema: `tidegate schema hpa-history`.

    A bad line gives a line with its error; the rest goes on, and the exit code is then 3.
    """
    from tidegate.simulate.decisions import decide_lines, dumped

    good = bad = 0
    with _opened(histories) as stream:
        for fine, shown in decide_lines(stream, longest=longest_mib << 20, explained=explain):
            good, bad = good + fine, bad + (not fine)
            try:
                print(dumped(shown), flush=True)
            except BrokenPipeError:  # the reader has seen enough, as with `| head`
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                return
    if bad:
        raise TidegateError(
            f"{bad} of {good + bad} lines are no history", where=str(histories), cure="see the error on each line"
        )


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error
