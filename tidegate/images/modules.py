"""Files out of Go modules: charts, manifests and schemas that upstream ships beside its code."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.gomod import GoPins, read_pins
from tidegate.images.gotool import WORK_LOCK, go_env, work_dir
from tidegate.images.job import JobContext
from tidegate.images.model import GoGroup, ModuleFile, Toolchain
from tidegate.images.store import Entry, lock, making, remove
from tidegate.proc import run


class GoCommand:
    """The `go` to call; `path` is valid once the toolchain's job has run."""

    def __init__(self, path: Path) -> None:
        self.path = path


async def module_dir(
    context: JobContext, go: GoCommand, env: Mapping[str, str], folder: Path, pins: GoPins, module: str
) -> Path:
    """Download one module and return its folder in the module cache.

    Raises:
        TidegateError: it cannot be had, or its content is not the one go.sum vouches for.
    """
    pin = pins.pin(module)
    answer = folder / "download.json"
    await context.run(
        [go.path, "mod", "download", "-json", f"{pin.path}@{pin.version}"], env=env, cwd=folder, output=answer
    )
    said: dict[str, str] = json.loads(answer.read_text())
    if said.get("Sum") != pin.sum:
        raise TidegateError(
            f"{pin.path} {pin.version} is not the module whose checksum was committed",
            where=str(pins.file.with_name("go.sum")),
        )
    return Path(said["Dir"])


def place(item: ModuleFile, module: Path, target: Path) -> None:
    """Copy a file or folder of a module, setting JSON keys or compiling it if asked.

    Raises:
        TidegateError: the module has no such path, or it does not compile.
    """
    source = module / item.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    elif not source.is_file():
        raise TidegateError(f"module {item.module} has no {item.path}", where=str(module))
    elif item.compile:
        # One object, never linked: its code must not care where it is put.
        command = ["cc", "-c", "-O2", "-fPIE", "-fno-stack-protector", "-o", target, source]
        run(command, env={**os.environ, "LC_ALL": "C"}, timeout_s=60)
    elif item.json_set:
        content = json.loads(source.read_text()) | item.json_set
        target.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False))
    else:
        shutil.copy(source, target)
        # A module's archive keeps no modes: what says that it is a script must be one again.
        if target.read_bytes()[:2] == b"#!":
            target.chmod(0o755)
    _writable(target)


def _writable(path: Path) -> None:
    """Give the owner write permission: the module cache's files have none, and copies keep modes."""
    below: Iterable[Path] = path.rglob("*") if path.is_dir() else ()
    for item in (path, *below):
        if not item.is_symlink():
            item.chmod(item.stat().st_mode | 0o200)


async def take_files(
    context: JobContext,
    name: str,
    entry: Entry,
    group: GoGroup,
    folder: Path,
    go: GoCommand,
    toolchain: Toolchain,
) -> None:
    """Put files of a Go module into the cache as the entry `name`, under the paths they have there."""
    async with lock(WORK_LOCK, shared=True), lock(f"{entry.area}-{entry.label}"):
        if entry.problem() is None:
            return
        item = group.files[name]
        env = go_env(toolchain.version, nosumdb=group.nosumdb)
        work = work_dir() / "modules" / f"files-{name}"
        remove(work)
        shutil.copytree(folder, work)
        pins = read_pins(work)
        source = await module_dir(context, go, env, work, pins, item.module)
        with making(entry, versions={item.module: pins.pin(item.module).version}) as made:
            await asyncio.to_thread(place, item, source, made / item.path)
        remove(work)
