"""Tell a scenario's parameters, as JSON on stdout: `python -m tidegate.load.describe FILE [FLAGS]`.

Run as a child, because a Locust file cannot be imported without Locust replacing the standard library's
sockets in the importing process. Works for any Locust file; only those that `declare` their parameters
tell their duration.
"""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import NoReturn

import locust
from locust.util.load_locustfile import load_locustfile

from tidegate.errors import TidegateError
from tidegate.load.parameters import Description, from_options
from tidegate.load.scenario import Scenario, refuse


class _Parser(ArgumentParser):
    """Argument parsing whose refusals are one line of the kit's own."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and ending the process."""
        raise TidegateError(message)


def describe(path: Path, flags: list[str]) -> Description:
    """Return the description of the Locust file at `path` when run with `flags`.

    Raises:
        TidegateError: a value is out of range or no value.
    """
    load_locustfile(str(path))
    module = sys.modules[path.stem]
    declared = [value for value in vars(module).values() if isinstance(value, Scenario)]
    parser = _Parser(prog=path.stem, add_help=False, allow_abbrev=False)
    locust.events.init_command_line_parser.fire(parser=parser)
    options, strange = parser.parse_known_args(flags)
    helps = {action.dest: action.help or "" for action in parser._actions}  # pyright: ignore[reportPrivateUsage]
    duration_s = from_options(declared[0].model, options).duration_s if declared else None
    return Description(
        parameters={name: str(value) for name, value in vars(options).items()},
        helps=helps,
        duration_s=duration_s,
        strange=strange,
    )


def main() -> None:
    """Describe the file named on the command line."""
    try:
        described = describe(Path(sys.argv[1]).resolve(), sys.argv[2:])
    except TidegateError as error:
        refuse(error)
    sys.stdout.write(json.dumps(described.model_dump()) + "\n")


if __name__ == "__main__":
    main()
