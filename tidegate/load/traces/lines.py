"""Lines of a file, plain or gzip, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from tidegate.errors import TidegateError

LONGEST = 65_536
"""Bytes of the longest line that is read: longer than any server's limit for a request line."""
MOST_LINES = 50_000_000
"""Lines read at most, a few minutes' work."""
_GZIP = b"\x1f\x8b"


@contextmanager
def open_plain(path: Path) -> Generator[BinaryIO]:
    """Open `path` for reading; one that begins as gzip does is unpacked on the way.

    Raises:
        TidegateError: it cannot be opened.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise TidegateError(f"cannot read the trace: {error.strerror}", where=str(path)) from error
    with file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if packed:
            with gzip.GzipFile(fileobj=file) as plain:
                yield cast("BinaryIO", plain)
        else:
            yield file


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number (from 1) and text of each line that is not blank, stripped; one line in memory at a time.

    Raises:
        TidegateError: the file cannot be read to its end, or a line is too long; it names the line.
    """
    with open_plain(path) as file:
        number = 0
        while True:
            number += 1
            where = f"{path}:{number}"
            try:
                line = file.readline(LONGEST + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise TidegateError(f"cannot read on: {error}", where=where) from error
            if not line:
                return
            if len(line) > LONGEST:
                raise TidegateError(f"the line has more than {LONGEST} bytes", where=where)
            if number > MOST_LINES:
                raise TidegateError(
                    f"the trace has more than {MOST_LINES} lines", where=where, cure="cut out what is wanted"
                )
            text = line.decode("utf-8", errors="replace").strip()
            if text:
                yield number, text.removeprefix("\ufeff")
