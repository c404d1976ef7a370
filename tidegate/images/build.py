"""Build one image from its recipe: assemble the context, run the engine's builder, label the result."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.digest import files_below
from tidegate.images.engine import Docker, Labels
from tidegate.images.job import JobContext
from tidegate.images.store import lock, remove

_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@dataclass(frozen=True)
class ImageBuild:
    """All that one image is built from, resolved to files and references.

    Args:
        name: the image's entry.
        key: the key of its recipe.
        reference: name and tag to give it.
        folder: the folder with its Dockerfile.
        context: what lies where in the build context.
        args: build arguments, BASE among them.
        entrypoint: replaces the Dockerfile's unless empty.
        versions: versions to print on it.
    """

    name: str
    key: str
    reference: str
    folder: Path
    context: Mapping[str, Path]
    args: Mapping[str, str]
    entrypoint: tuple[str, ...]
    versions: Mapping[str, str]


async def build_image(context: JobContext, docker: Docker, build: ImageBuild) -> None:
    """Build an image and give it its reference; nothing to do where the engine has one with this key.

    Raises:
        TidegateError: the builder failed, or something named for the context is not there.
    """
    async with lock(f"image-{build.name}"):
        if await is_there(docker, build.reference, build.key):
            return
        work = cache_dir() / "making" / f"context-{build.name}"
        remove(work)
        try:
            await asyncio.to_thread(assemble, build, work)
            await _build(context, docker, build, work)
        finally:
            await asyncio.to_thread(remove, work)


async def is_there(docker: Docker, reference: str, key: str) -> bool:
    """Whether the engine has this image, built here with this key."""
    labels = await asyncio.to_thread(docker.labels, [reference])
    return Labels(recipe=key).matches(labels.get(reference))


def assemble(build: ImageBuild, work: Path) -> None:
    """Fill a folder with the Dockerfile, the files beside it and everything the recipe names.

    Raises:
        TidegateError: a named source is absent.
    """
    work.mkdir(parents=True)
    for file in files_below(build.folder):
        _copy(file, work / file.relative_to(build.folder))
    for to, source in build.context.items():
        if not source.exists():
            raise TidegateError(f"image {build.name} needs a file that is not there", where=str(source))
        # "folder/" takes a file under its own name, or a folder's content.
        target = work / to / source.name if to.endswith("/") and source.is_file() else work / to
        for file in files_below(source):
            _copy(file, target if file == source else target / file.relative_to(source))
    if build.entrypoint:
        words = ", ".join(f'"{word}"' for word in build.entrypoint)
        with (work / "Dockerfile").open("a") as file:
            file.write(f"\nENTRYPOINT [{words}]\n")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(source.readlink())
        return
    # What is cached is never written again, so a link costs neither time nor disk. A file of the project
    # must be copied: the Dockerfile is added to here.
    if not (source.is_relative_to(cache_dir()) and _link(source, target)):
        shutil.copy2(source, target)


def _link(source: Path, target: Path) -> bool:
    try:
        os.link(source, target)
    except OSError:
        return False
    return True


async def _build(context: JobContext, docker: Docker, build: ImageBuild, work: Path) -> None:
    args = {name: os.environ[name] for name in _PROXIES if os.environ.get(name)} | dict(build.args)
    labels = Labels(recipe=build.key, versions=build.versions)
    command = docker.command(
        *("build", "--network", "host", "--force-rm", "--tag", build.reference),
        *labels.build_arguments(),
        *(word for name, value in args.items() for word in ("--build-arg", f"{name}={value}")),
        str(work),
    )
    try:
        # The legacy builder is in every engine that has one at all and needs no plugin of the client's.
        await context.run(command, env=docker.env | {"DOCKER_BUILDKIT": "0"})
    except TidegateError as error:
        if "legacy builder" not in str(error).lower():
            raise
        await context.run(command, env=docker.env)
