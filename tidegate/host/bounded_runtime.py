"""An OCI runtime in front of runc, for machines whose root lacks CAP_SYS_RESOURCE.

There the kernel refuses every container that asks for that capability ("unable to apply caps"), that
raises a resource limit or that lowers its OOM score: so every privileged container. This program takes
those three wishes out of what runc is given, and changes nothing else:

    create, run   `config.json` in the bundle
    exec          the file of `--process`

It then becomes runc. It is started for every container and every exec, so it needs the standard
library's smallest part only: `python3 -I -S bounded_runtime.py <runc's own arguments>`.
Command line as runc's manual pages runc(8), runc-create(8), runc-run(8), runc-exec(8) have it.
"""

# pathlib would double the time this takes to start
# ruff: noqa: PTH101, PTH105, PTH108, PTH109, PTH110, PTH113, PTH116, PTH118, PTH123

from __future__ import annotations

import json
import os
import signal
import stat
import sys

TYPE_CHECKING = False  # typing's own would have to be imported, which costs a tenth of the start
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

REFUSED = "CAP_SYS_RESOURCE"
GUARD = "TIDEGATE_BOUNDED_RUNTIME"
FALLBACK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

SUBCOMMANDS = frozenset(
    (
        *("checkpoint", "create", "delete", "events", "exec", "features", "help", "init", "kill", "list"),
        *("pause", "ps", "restore", "resume", "run", "spec", "start", "state", "update"),
    )
)
GLOBAL_VALUES = frozenset(("log", "log-format", "root", "criu", "rootless"))
CREATE_VALUES = frozenset(("bundle", "b", "console-socket", "pid-file", "preserve-fds", "pidfd-socket"))
EXEC_VALUES = frozenset(
    (
        *(
            "process",
            "p",
            "console-socket",
            "cwd",
            "env",
            "e",
            "user",
            "u",
            "additional-gids",
            "g",
            "pid-file",
        ),
        *("process-label", "apparmor", "cap", "c", "preserve-fds", "cgroup", "pidfd-socket"),
    )
)
"""Flags that take the next word as their value; all others stand alone."""


def flag(word: str) -> tuple[str, str | None] | None:
    """Name and value of a flag as Go's flag package reads it (one dash or two); None for other words."""
    if len(word) < 2 or word[0] != "-" or word == "--":
        return None
    name, equals, value = word.lstrip("-").partition("=")
    return name, value if equals else None


def subcommand(arguments: Sequence[str]) -> tuple[str | None, Sequence[str]]:
    """runc's subcommand and the arguments behind it; (None, []) where there is none."""
    index = 0
    while index < len(arguments):
        found = flag(arguments[index])
        if found is None:
            if arguments[index] in SUBCOMMANDS:
                return arguments[index], arguments[index + 1 :]
        elif found[1] is None and found[0] in GLOBAL_VALUES:
            index += 1
        index += 1
    return None, []


def option(
    arguments: Sequence[str], names: Collection[str], with_value: Collection[str], *, anywhere: bool
) -> str | None:
    """Value of the last of the flags `names`; None where none is given.

    `with_value` are the flags that take the next word. Behind the first word that is no flag, flags are the
    container's own, unless `anywhere`.
    """
    value = None
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if word == "--":
            break
        found = flag(word)
        if found is None:
            if not anywhere:
                break
        else:
            name, given = found
            if given is None and name in with_value:
                index += 1
                given = arguments[index] if index < len(arguments) else None
            if name in names and given is not None:
                value = given
        index += 1
    return value


def bound_process(process: dict[str, Any]) -> bool:
    """Take the refused wishes out of an OCI process; tell whether there were any."""
    changed = False
    capabilities: dict[str, list[str] | None] = process.get("capabilities") or {}
    for kind, names in capabilities.items():
        if names and REFUSED in names:
            capabilities[kind] = [name for name in names if name != REFUSED]
            changed = True
    for key in ("rlimits", "oomScoreAdj"):
        if key in process:
            del process[key]
            changed = True
    return changed


def rewrite(path: str, key: str) -> None:
    """Bound the process in a JSON file, in place and atomically. `key` is where in it the process stands."""
    with open(path, encoding="utf-8") as handle:
        document: dict[str, Any] = json.load(handle)
    if not bound_process(document[key] if key else document):
        return
    before = os.stat(path)
    part = f"{path}.{os.getpid()}.part"
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            json.dump(document, handle)
        os.chown(part, before.st_uid, before.st_gid)
        os.chmod(part, stat.S_IMODE(before.st_mode))
        os.replace(part, path)
    except OSError:
        if os.path.exists(part):
            os.unlink(part)
        raise


def target(arguments: Sequence[str]) -> tuple[str, str] | None:
    """The file to bound and where the process stands in it; None where nothing is to be done."""
    command, rest = subcommand(arguments)
    if command in ("create", "run"):
        bundle = option(rest, ("bundle", "b"), CREATE_VALUES, anywhere=True)
        return os.path.join(bundle or os.getcwd(), "config.json"), "process"
    if command == "exec":
        path = option(rest, ("process", "p"), EXEC_VALUES, anywhere=False)
        return (path, "") if path else None
    return None


def find_runc(search: str) -> str | None:
    """The first runc on the search path that is not this program under another name, or None."""
    own = os.path.realpath(__file__)
    for folder in (search + os.pathsep + FALLBACK_PATH).split(os.pathsep):
        candidate = os.path.join(folder, "runc")
        if folder and os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            with open(candidate, "rb") as handle:
                ours = os.fsencode(own) in handle.read(4096) or os.path.realpath(candidate) == own
            if not ours:
                return candidate
    return None


def main(arguments: Sequence[str]) -> int:
    """Bound what runc is about to read, and become runc. Returns only on failure, with the exit status."""
    if GUARD in os.environ:
        sys.stderr.write("tidegate bounded runtime: the runc it found is itself\n")
        return 1
    runc = find_runc(os.environ.get("PATH", ""))
    if runc is None:
        sys.stderr.write("tidegate bounded runtime: no runc on PATH\n")
        return 1
    try:
        wanted = target(arguments)
        if wanted is not None:
            rewrite(*wanted)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        # runc reads the same file next and refuses it in its own words, which the engine understands.
        sys.stderr.write(f"tidegate bounded runtime: left as it is: {error}\n")
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # ignored by the interpreter, and runc would inherit that
    os.execve(runc, [runc, *arguments], {**os.environ, GUARD: "1"})  # noqa: S606 - no shell is meant
    return 1  # execve does not come back; for the type of the function


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
