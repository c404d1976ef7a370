"""Pull images from the registries where they are published, or from one mirror of them all."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx

from tidegate.images.engine import Docker
from tidegate.images.job import JobContext
from tidegate.images.reference import Reference

PROBE_S = 5.0
"""A registry that does not answer within this many seconds counts as out of reach."""

_ANSWERS = {httpx.codes.OK, httpx.codes.UNAUTHORIZED}
"""What a registry says to a stranger; a proxy in its place says something else."""


def answers(host: str, *, timeout_s: float = PROBE_S) -> bool:
    """Whether a registry answers at this host, over TLS, or without it where the host is this machine."""
    schemes = ("http", "https") if _is_loopback(host) else ("https",)
    return any(_head(f"{scheme}://{host}/v2/", timeout_s) for scheme in schemes)


def _is_loopback(host: str) -> bool:
    name = host.split("/")[0].rsplit(":", 1)[0]
    return name in {"localhost", "[::1]"} or name.startswith("127.")


def _head(url: str, timeout_s: float) -> bool:
    try:
        # The system's certificates: a company's own authority is there and not in a Python package.
        with httpx.Client(verify=ssl.create_default_context(), timeout=timeout_s) as client:
            return client.head(url).status_code in _ANSWERS
    except (httpx.HTTPError, OSError):
        return False


def reachable(references: Iterable[Reference], mirror: str | None) -> set[str]:
    """Return the registry hosts among the references' own that can be pulled from.

    Each host is asked once. With a mirror only the mirror is asked, and it stands for all.

    Args:
        references: what is wanted.
        mirror: the mirror's address, or None.
    """
    hosts = {reference.host: reference.api_host for reference in references}
    if not hosts:
        return set()
    if mirror is not None:
        return set(hosts) if answers(mirror.split("/")[0]) else set()
    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        said = dict(zip(hosts, pool.map(answers, hosts.values()), strict=True))
    return {host for host, yes in said.items() if yes}


async def pull(context: JobContext, docker: Docker, reference: Reference, mirror: str | None) -> None:
    """Pull an image, so that the engine has it under its upstream name wherever it came from."""
    if mirror is None:
        await context.run(docker.command("pull", str(reference)), env=docker.env)
        return
    there = reference.on_mirror(mirror)
    await context.run(docker.command("pull", there), env=docker.env)
    await context.run(docker.command("tag", there, str(reference)), env=docker.env)
    await context.run(docker.command("rmi", there), env=docker.env)
