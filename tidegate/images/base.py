"""Base root filesystems: Debian's smallest, imported into the engine."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.engine import Docker, Labels
from tidegate.images.job import JobContext
from tidegate.images.model import Base
from tidegate.images.store import lock, remove

_NO_DOCS = """# Images hold no documentation: nobody reads it there.
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
"""
_APT = """Acquire::Languages "none";
APT::Install-Recommends "false";
Acquire::Retries "3";
"""


def mirror() -> str:
    """Return the Debian mirror: TIDEGATE_DEBIAN_MIRROR, or debootstrap's own default when empty."""
    return os.environ.get("TIDEGATE_DEBIAN_MIRROR", "")


def as_root(command: Sequence[str | Path]) -> list[str | Path]:
    """Return the command with what gives it root's rights, which a root filesystem needs.

    Raises:
        TidegateError: this process is not root and sudo is absent.
    """
    if os.geteuid() == 0:
        return list(command)
    if shutil.which("sudo") is None:
        raise TidegateError("making a base image needs root", cure="run as root, or install sudo")
    return ["sudo", "--non-interactive", *command]


def sources(suite: str) -> str:
    """Return apt's sources for a suite: the release, its updates, and security fixes."""
    main = mirror() or "http://deb.debian.org/debian"
    security = f"{main.rstrip('/').removesuffix('/debian')}/debian-security"
    return f"deb {main} {suite} main\ndeb {main} {suite}-updates main\ndeb {security} {suite}-security main\n"


async def make_base(
    context: JobContext, docker: Docker, name: str, base: Base, key: str, reference: str
) -> None:
    """Make a root filesystem with debootstrap and import it as `reference`.

    Downloaded packages stay in `<cache>/debs`, so that a second one costs no download.

    Raises:
        TidegateError: debootstrap is absent, root's rights are, or a step failed.
    """
    program = shutil.which("debootstrap") or shutil.which("debootstrap", path="/usr/sbin:/sbin")
    if program is None:
        raise TidegateError("debootstrap was not found", cure="apt-get install debootstrap")
    async with lock(f"base-{name}"):
        if (await asyncio.to_thread(docker.labels, [reference])).get(reference) is not None:
            return
        debs = cache_dir() / "debs"
        debs.mkdir(parents=True, exist_ok=True)
        work = cache_dir() / "making" / f"base-{name}"
        await _discard(context, work)
        work.mkdir(parents=True)
        tree, archive = work / "root", work / "root.tar"
        address = [mirror()] if mirror() else []
        try:
            await context.run(
                as_root(
                    [
                        program,
                        "--variant=minbase",
                        f"--cache-dir={debs.resolve()}",
                        base.suite,
                        tree,
                        *address,
                    ]
                )
            )
            for path, text in {
                "etc/dpkg/dpkg.cfg.d/01-no-docs": _NO_DOCS,
                "etc/apt/apt.conf.d/90-images": _APT,
                "etc/apt/sources.list": sources(base.suite),
            }.items():
                await _write(context, work, tree / path, text)
            unneeded = ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale"]
            await context.run(
                as_root(
                    ["tar", "-C", tree, "--sort=name", "--numeric-owner", "-cf", archive]
                    + [
                        word
                        for path in (
                            *unneeded,
                            "var/cache/apt/archives",
                            "var/lib/apt/lists",
                            "dev",
                            "proc",
                            "sys",
                        )
                        for word in (f"--exclude=./{path}/*",)
                    ]
                    + ["."]
                )
            )
            labels = Labels(recipe=key, versions={"debian": base.suite})
            await context.run(
                [*docker.command("import"), *labels.changes(), archive, reference], env=docker.env
            )
        finally:
            await _discard(context, work)


async def _write(context: JobContext, work: Path, target: Path, text: str) -> None:
    draft = work / "draft"
    draft.write_text(text)
    await context.run(as_root(["install", "-m", "0644", draft, target]))


async def _discard(context: JobContext, work: Path) -> None:
    """Remove a work folder that may hold files of root's, and what debootstrap left mounted in it."""
    if os.geteuid() != 0:
        await context.run(as_root(["rm", "-rf", "--one-file-system", work]))
        return
    for point in await asyncio.to_thread(_mounts, work):
        await context.run(["umount", point])
    await asyncio.to_thread(remove, work)


def _mounts(work: Path) -> list[Path]:
    return [point for name in ("proc", "sys") if (point := work / "root" / name).is_mount()]
