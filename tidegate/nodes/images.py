"""Give a new node the images that an older one has.

A cluster made here pulls nothing: its images were loaded into its nodes. What a worker holds now is what
runs now, so the new node takes it from there, and no list of images can be out of date.

What is needed by the pods that wait for the node, and by those that run on every node, is copied before it
joins; what other pods run is, image by image, when it serves already. What no pod runs is not copied at all.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Sequence
from typing import Any, cast

from tidegate.errors import TidegateError
from tidegate.proc import run

_LIST_S = 60
_COPY_S = 300
_ATTEMPTS = 2
_STAYING = ("Node", "Job")
_CTR = ("ctr", "--namespace=k8s.io", "images")


def copy_missing(source: str, target: str, wanted: Collection[str]) -> None:
    """Copy those of the images `wanted` that the node `source` holds and the node `target` lacks.

    Args:
        source: name of the one node's container.
        target: of the other's.
        wanted: their full references.

    Raises:
        TidegateError: a node did not answer or refused an image.
    """

    def lacking() -> list[str]:
        absent = missing(_listing(source), _listing(target))
        return [tag for tag in absent if tag in wanted]

    absent, error = lacking(), ""
    for _ in range(_ATTEMPTS):
        if not absent:
            return
        error = _copy(source, target, absent)
        absent = lacking()
    if absent:
        reason = error or "they are not there afterwards"
        raise TidegateError(
            f"images could not be copied from {source} to {target}: {reason}", where=", ".join(absent)
        )


def missing(held: str, there: str) -> list[str]:
    """Return the tags in `held` that `there` lacks or has with another content.

    Args:
        held: what `crictl images --output json` printed on the one node.
        there: the same of the other.
    """
    known = _tags(there)
    return sorted(tag for tag, identity in _tags(held).items() if known.get(tag) != identity)


def needed_at_once(pods: str) -> set[str]:
    """Return the full references of images that a new node needs before all others.

    Args:
        pods: a line a pod, in three columns parted by tabs: kind of its owner, its node, its images.
    """
    needed: set[str] = set()
    for line in pods.splitlines():
        owner, node, images = (*line.split("\t"), "", "")[:3]
        if owner == "DaemonSet" or not node:
            needed.update(map(full_reference, images.split()))
    return needed


def of_use_later(pods: str) -> list[str]:
    """Return the full references of images whose pods may come to a new node one day.

    Those of the control plane and of Jobs do not.

    Args:
        pods: as in `needed_at_once`.
    """
    rows = [(*line.split("\t"), "", "")[:3] for line in pods.splitlines()]
    return sorted(
        {
            full_reference(each)
            for owner, _, images in rows
            if owner not in _STAYING
            for each in images.split()
        }
    )


def full_reference(image: str) -> str:
    """Return an image's name with its registry, as a runtime keeps it.

    A first part without a dot, a colon or the name `localhost` is no registry (distribution/reference,
    normalize.go, splitDockerDomain).
    """
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _tags(listing: str) -> dict[str, str]:
    rows = cast("list[dict[str, Any]]", json.loads(listing).get("images") or [])
    return {tag: row["id"] for row in rows for tag in cast("list[str]", row.get("repoTags") or [])}


def _listing(node: str) -> str:
    cmd = ["docker", "exec", node, "crictl", "images", "--output", "json"]
    return run(cmd, timeout_s=_LIST_S).stdout


def _copy(source: str, target: str, tags: Sequence[str]) -> str:
    """Copy `tags`; return the last line of what went wrong, or nothing.

    By files and `docker cp`. The output of `docker exec` will not do: on busy cores one archive in ten lacked
    a piece, and the command told of no error.
    """
    archive = f"/var/tidegate-images-for-{target}.tar"
    try:
        _exec(source, *_CTR, "export", archive, *tags)
        error = _pipe(["docker", "cp", f"{source}:{archive}", "-"], ["docker", "cp", "-", f"{target}:/var/"])
        if not error:
            _exec(target, *_CTR, "import", "--digests", archive)
    except TidegateError as problem:
        error = str(problem)
    finally:
        for node in (source, target):
            run(["docker", "exec", node, "rm", "--force", archive], timeout_s=_LIST_S, check=False)
    return error


def _exec(node: str, *words: str) -> None:
    run(["docker", "exec", node, *words], timeout_s=_COPY_S)


def _pipe(write: Sequence[str], read: Sequence[str]) -> str:
    """Feed `write` into `read`; return the last line of what went wrong, or nothing."""
    with (
        subprocess.Popen(write, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as first,
        subprocess.Popen(
            read, stdin=first.stdout, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as second,
    ):
        if first.stdout is not None:
            # The reader holds it now; without this a reader that ends early would leave the writer blocked.
            first.stdout.close()
        errors = second.communicate()[1]
    if first.returncode == 0 and second.returncode == 0:
        return ""
    return (errors.strip().splitlines() or [f"`{' '.join(write)}` ended with {first.returncode}"])[-1]
