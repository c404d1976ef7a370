"""Put images from the container engine into the nodes of a kind cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypedDict, cast

from infra.cluster.docker import tool_env
from tidegate.errors import TidegateError
from tidegate.proc import run

_PARALLEL_NODES = 2
"""Unpacking is bound by the disk; more at a time only makes each of them slower."""


class _Held(TypedDict):
    id: str
    repoTags: list[str] | None


class _Listing(TypedDict, total=False):
    images: list[_Held] | None


def load(nodes: Sequence[str], images: Mapping[str, str]) -> dict[str, list[str]]:
    """Load `images` (reference to image id in the engine) into every node, only where they are missing.

    Returns:
        for every node the references that had to be loaded.

    Raises:
        TidegateError: the engine does not have an image under that id, or a node refused it.
    """
    for reference, image_id in images.items():
        _require_in_engine(reference, image_id)
    with ThreadPoolExecutor(_PARALLEL_NODES) as pool:
        return dict(zip(nodes, pool.map(partial(_load_node, images=images), nodes), strict=True))


def missing(listing: str, images: Mapping[str, str]) -> list[str]:
    """Return the references of `images` that a node does not hold under that id.

    Args:
        listing: what `crictl images --output json` printed on the node.
        images: reference to image id, as in `load`.
    """
    rows = cast("_Listing", json.loads(listing)).get("images") or []
    held = {tag: row["id"] for row in rows for tag in row["repoTags"] or ()}
    return [reference for reference, image_id in images.items() if held.get(canonical(reference)) != image_id]


def canonical(reference: str) -> str:
    """Return `reference` as containerd stores it: with registry host, and `library/` for official images."""
    first, slash, _ = reference.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return reference
    return f"docker.io/{reference}" if slash else f"docker.io/library/{reference}"


def _require_in_engine(reference: str, image_id: str) -> None:
    cmd = ["docker", "image", "inspect", "--format", "{{.Id}}", reference]
    answer = run(cmd, env=tool_env(), timeout_s=60, check=False)
    if answer.stdout.strip() != image_id:
        raise TidegateError(
            f"the image {reference} is not in the container engine as {image_id}",
            cure="run `tidegate images`",
        )


def _load_node(node: str, images: Mapping[str, str]) -> list[str]:
    listing = run(
        ["docker", "exec", node, "crictl", "images", "--output", "json"], env=tool_env(), timeout_s=120
    )
    absent = missing(listing.stdout, images)
    if not absent:
        return absent
    error = _stream(node, absent, ("--all-platforms",))
    if error:
        # An engine with containerd's image store lists platforms in the index that it never pulled.
        error = _stream(node, absent, ())
    if error:
        raise TidegateError(f"the node {node} refused images: {error}", where=", ".join(absent))
    return absent


def _stream(node: str, references: Sequence[str], flags: Sequence[str]) -> str:
    """Pipe `docker save` into the node's containerd; return the last line of what went wrong, or nothing."""
    ctr = ["ctr", "--namespace=k8s.io", "images", "import", *flags, "--digests", "-"]
    env = tool_env()
    with (
        subprocess.Popen(["docker", "save", *references], stdout=subprocess.PIPE, env=env) as save,
        subprocess.Popen(
            ["docker", "exec", "--interactive", node, *ctr],
            stdin=save.stdout,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=env,
            text=True,
        ) as load_,
    ):
        if save.stdout is not None:
            # The importing process holds it now; without this a failing import would leave `save` blocked.
            save.stdout.close()
        errors = load_.communicate()[1]
    if load_.returncode == 0 and save.returncode == 0:
        return ""
    return (errors.strip().splitlines() or [f"docker save ended with {save.returncode}"])[-1]
