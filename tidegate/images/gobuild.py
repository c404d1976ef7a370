"""Build the programs of a Go group.

Everything is checked against the committed go.sum: the modules file is never written (`-mod=readonly`), so
a version or checksum that was not committed stops the build instead of entering it.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.gomod import read_pins
from tidegate.images.gotool import (
    WORK_LOCK,
    drop_temporary,
    empty_build_cache,
    go_env,
    interpret_env,
    work_bytes,
    work_dir,
)
from tidegate.images.job import JobContext
from tidegate.images.model import GoBinary, GoGroup, Toolchain
from tidegate.images.modules import GoCommand, module_dir, place
from tidegate.images.store import Entry, lock, lock_now, making, remove

_MAJOR = re.compile(r"v[0-9]+")


class GoBuild:
    """One group's programs, to be made together.

    Args:
        name: the group.
        group: its entry in the catalogue.
        folder: where its go.mod and go.sum lie.
        wanted: the cache entry of each program to make.
        go: the command that runs Go; known only once the toolchain is there, hence a function's result.
        toolchain: what must compile.
        go_work_gb: size of the scratch folder at which Go's build cache is emptied after this group.
    """

    def __init__(
        self,
        name: str,
        group: GoGroup,
        folder: Path,
        wanted: Mapping[str, Entry],
        go: GoCommand,
        toolchain: Toolchain,
        go_work_gb: int,
    ) -> None:
        self._name = name
        self._group = group
        self._folder = folder
        self._wanted = dict(wanted)
        self._go = go
        self._toolchain = toolchain
        self._limit_bytes = go_work_gb * 1_000_000_000
        self._work = work_dir() / "modules" / name

    def _env(self, *, cgo: bool = False) -> dict[str, str]:
        return go_env(self._toolchain.version, task=self._name, cgo=cgo, nosumdb=self._group.nosumdb)

    def _missing(self) -> dict[str, GoBinary]:
        """Return what is still to be made: another command may have made it meanwhile."""
        return {
            name: self._group.binaries[name]
            for name, entry in self._wanted.items()
            if entry.problem() is not None
        }

    async def fetch(self, context: JobContext) -> None:
        """Download the modules that the programs need, and no others."""
        async with lock(WORK_LOCK, shared=True), lock(f"go-{self._name}"):
            missing = self._missing()
            if not missing:
                return
            await self._prepare(context, missing)
            for batch in batches(missing):
                first = next(iter(batch.values()))
                packages = [binary.package for binary in batch.values()]
                await context.run(
                    [self._go.path, "list", "-deps", "-tags", ",".join(first.tags), *packages],
                    env=self._env(cgo=first.cgo),
                    cwd=self._work,
                    output=self._work / "packages.txt",
                )

    async def _prepare(self, context: JobContext, missing: Mapping[str, GoBinary]) -> None:
        """Copy the group's folder, so that the project is never written to, and add embedded files."""
        remove(self._work)
        drop_temporary(self._name)
        env = self._env()
        context.note(interpret_env(env))
        shutil.copytree(self._folder, self._work)
        pins = read_pins(self._work)
        for binary in missing.values():
            for to, item in binary.embed.items():
                source = await module_dir(context, self._go, env, self._work, pins, item.module)
                target = self._work / binary.package / to
                await asyncio.to_thread(place, item, source, target)

    async def build(self, context: JobContext) -> None:
        """Compile and link what is missing and put each program into the cache."""
        async with lock(WORK_LOCK, shared=True), lock(f"go-{self._name}"):
            missing = self._missing()
            if not missing:
                return
            # Again, and not only in `fetch`: another command may have built in this folder and removed it.
            await self._prepare(context, missing)
            output = self._work.with_name(f"{self._name}.out")
            remove(output)
            for batch in batches(missing):
                await context.run(
                    build_command(self._go.path, output, batch),
                    env=self._env(cgo=next(iter(batch.values())).cgo),
                    cwd=self._work,
                )
                for name, made in made_by(output, batch).items():
                    await asyncio.to_thread(self._keep, name, made)
            remove(output)
            remove(self._work)
        self._trim(context)

    def _keep(self, name: str, made: Path) -> None:
        if not made.is_file():
            raise TidegateError(f"go build made no {made.name}", where=str(made.parent))
        versions = self._group.versions | {"go": self._toolchain.version}
        with making(self._wanted[name], versions=versions) as entry:
            shutil.move(made, entry / name)

    def _trim(self, context: JobContext) -> None:
        if work_bytes() < self._limit_bytes:
            return
        with lock_now(WORK_LOCK) as alone:
            if alone:
                context.note("the scratch folder has reached its limit: Go's build cache is emptied")
                empty_build_cache()


def is_local(package: str) -> bool:
    """Whether a package is a main of our own, in the group's folder."""
    return package == "." or package.startswith("./")


def executable_name(package: str) -> str:
    """Return the name `go build` gives the program of an import path when it makes several at once."""
    parts = package.rstrip("/").split("/")
    return parts[-2] if len(parts) > 1 and _MAJOR.fullmatch(parts[-1]) else parts[-1]


def batches(binaries: Mapping[str, GoBinary]) -> list[dict[str, GoBinary]]:
    """Return the programs in groups that one `go build` can make.

    Programs with the same settings go together, so that Go compiles side by side what they do not share;
    two that Go would give the same name do not.
    """
    found: list[dict[str, GoBinary]] = []
    for name, binary in binaries.items():
        for batch in found:
            first = next(iter(batch.values()))
            taken = {executable_name(other.package) for other in batch.values()}
            same = (first.cgo, first.tags) == (binary.cgo, binary.tags)
            local = is_local(first.package) or is_local(binary.package)
            if same and not local and executable_name(binary.package) not in taken:
                batch[name] = binary
                break
        else:
            found.append({name: binary})
    return found


def made_by(output: Path, batch: Mapping[str, GoBinary]) -> dict[str, Path]:
    """Return where `build_command` leaves each program of a batch."""
    if len(batch) == 1:
        return {name: output / name for name in batch}
    return {name: output / executable_name(binary.package) for name, binary in batch.items()}


def build_command(go: Path, output: Path, batch: Mapping[str, GoBinary]) -> list[str]:
    """Return the `go build` that makes a batch; each program has linker flags of its own.

    Debugging information is left out where it arises, not only when linking: that saves a seventh of the
    compiler's time and a fifth of its cache, and stack traces do not need it.
    """
    single = len(batch) == 1
    target = str(output / next(iter(batch))) if single else f"{output}{os.sep}"
    command = [str(go), "build", "-pgo=off", "-gcflags=all=-dwarf=false", "-o", target]
    tags = next(iter(batch.values())).tags
    if tags:
        command += ["-tags", ",".join(tags)]
    for binary in batch.values():
        pattern = "" if single else f"{binary.package}="
        command.append(f"-ldflags={pattern}-s -w {binary.ldflags}".rstrip())
    return [*command, *(binary.package for binary in batch.values())]
