"""Access logs in Common or Combined Log Format, as Apache httpd and nginx write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.load.traces.lines import numbered_lines
from tidegate.load.traces.moments import log_moment_s

CLF = re.compile(r'\S+ \S+ .*?\[([^\]]{26})\] "')
"""`host ident user [time] "request" status bytes`; the user may contain spaces."""


def log_seconds(path: Path) -> Iterator[tuple[int, float, float]]:
    """Yield the number of each line, the unix second in which its request arrived, and one request.

    Raises:
        TidegateError: a line is not of the format; it names the line.
    """
    for number, text in numbered_lines(path):
        found = CLF.match(text)
        at_s = log_moment_s(found[1]) if found else None
        if at_s is None:
            raise TidegateError(
                f"not a line of a log: {text[:60]!r}",
                where=f"{path}:{number}",
                cure="Common Log Format has [10/Oct/2000:13:55:36 -0700] before the request",
            )
        yield number, at_s, 1.0
