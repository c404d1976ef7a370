"""Put images into the containerd inside a node image, so that nodes start without pulling anything.

The node image is built as usual, run with nothing but a sleeping process, given its images through its own
containerd, and committed with the entrypoint it had.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.build import ImageBuild, build_image, is_there
from tidegate.images.engine import Docker, Labels
from tidegate.images.job import JobContext
from tidegate.images.reference import parse
from tidegate.images.store import lock, remove

_LABEL = "io.tidegate.bake"
_START_S = 30.0
_POLL_S = 0.25


async def bake_image(
    context: JobContext, docker: Docker, build: ImageBuild, empty: str, holds: Sequence[str]
) -> None:
    """Build a node image and import `holds` into it.

    Args:
        context: the job's.
        docker: the engine.
        build: the recipe; its reference is what the finished image gets.
        empty: reference for the image before anything is imported.
        holds: references of the images to import; the engine has them.

    Raises:
        TidegateError: a step failed, or the containerd inside does not list an image afterwards.
    """
    await build_image(context, docker, replace(build, name=f"{build.name}-empty", reference=empty))
    async with lock(f"image-{build.name}"):
        if await is_there(docker, build.reference, build.key):
            return
        await _remove_leftovers(context, docker, build.name)
        work = cache_dir() / "making" / f"bake-{build.name}"
        remove(work)
        work.mkdir(parents=True)
        try:
            archive = work / "images.tar"
            context.say("packing images")
            await context.run(docker.command("save", "--output", str(archive), *holds), env=docker.env)
            await context.run(_start(docker, build.name, empty), env=docker.env, output=work / "container")
            container = (work / "container").read_text().strip()
            await _containerd(context, docker, container)
            context.say("importing images")
            words = ("images", "import", "--all-platforms", "--no-unpack", "--digests", "-")
            await context.run(
                docker.command("exec", "-i", container, "ctr", "-n", "k8s.io", *words),
                env=docker.env,
                stdin=archive,
            )
            await asyncio.to_thread(_check, docker, container, holds)
            context.say("committing")
            await context.run(_commit(docker, container, build, empty), env=docker.env)
        finally:
            await _remove_leftovers(context, docker, build.name)
            await asyncio.to_thread(remove, work)


def _start(docker: Docker, name: str, empty: str) -> list[str]:
    return docker.command(
        *("run", "--detach", "--label", f"{_LABEL}={name}", "--network", "none"),
        # containerd's snapshotter needs mounts that the default profile refuses.
        *("--security-opt", "seccomp=unconfined", "--entrypoint", "sleep", empty, "infinity"),
    )


async def _containerd(context: JobContext, docker: Docker, container: str) -> None:
    await context.run(docker.command("exec", "--detach", container, "containerd"), env=docker.env)
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + _START_S
    while loop.time() < deadline_s:
        said = await asyncio.to_thread(docker.call, "exec", container, "ctr", "version", check=False)
        if "Server:" in said:
            return
        await asyncio.sleep(_POLL_S)
    raise TidegateError(f"containerd inside the node image did not start in {_START_S:g} s")


def _check(docker: Docker, container: str, holds: Sequence[str]) -> None:
    listed = set(docker.call("exec", container, "ctr", "-n", "k8s.io", "images", "ls", "-q").split())
    absent = [name for name in holds if str(parse(name)) not in listed]
    if absent:
        raise TidegateError(f"the node image did not take {', '.join(absent)}")


def _commit(docker: Docker, container: str, build: ImageBuild, empty: str) -> list[str]:
    """Return the command that commits the container with the configuration its image had."""
    said = docker.call(
        "image", "inspect", "--format", "{{json .Config.Entrypoint}}\t{{json .Config.Cmd}}", empty
    )
    entrypoint, command = said.strip().split("\t")
    changes: Mapping[str, str] = {"ENTRYPOINT": entrypoint, "CMD": command}
    words = [
        word
        for name, value in changes.items()
        if json.loads(value)
        for word in ("--change", f"{name} {value}")
    ]
    labels = Labels(recipe=build.key, versions=build.versions)
    return docker.command("commit", *words, *labels.changes(), container, build.reference)


async def _remove_leftovers(context: JobContext, docker: Docker, name: str) -> None:
    """Remove containers of this or an interrupted attempt, with their volumes."""
    said = await asyncio.to_thread(
        docker.call, "ps", "-aq", "--filter", f"label={_LABEL}={name}", check=False
    )
    if said.split():
        await context.run(docker.command("rm", "--force", "--volumes", *said.split()), env=docker.env)
