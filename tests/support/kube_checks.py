"""kubeconform, kube-score and the API server's own Pod Security rules, told about objects."""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from support.kube_schemas import LOCATION

from infra.manifests import Manifest
from infra.policy.shape import section, subject, workloads
from tidegate.errors import TidegateError
from tidegate.images.ensure import ensure_tools

T = TypeVar("T")

KUBERNETES = "v1.36"
"""What the cluster runs, for checks of versions."""

OK = 10
"""kube-score's grade for what it has nothing to say about."""


def at_hand(make: Callable[[], T]) -> T:
    """Return what the project's catalogue makes; skip where it cannot, which in CI is a failure."""
    try:
        return make()
    except TidegateError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"cannot be made here: {error}")


def tool(name: str) -> Path:
    """Return a tool of the catalogue, in the user's cache: built once for all runs."""
    return at_hand(lambda: ensure_tools([name])[name])


def kubeconform(program: Path, schemas: Path, objects: Sequence[Manifest], folder: Path) -> dict[str, str]:
    """Return what is wrong with objects, by subject; empty when all of them conform.

    Args:
        program: kubeconform.
        schemas: folder of schemas, see `write_schemas`; a kind without one is wrong.
        objects: what is checked.
        folder: an empty one, for a file an object: from one stream kubeconform may mix them up, since its
            workers read the buffer that its scanner goes on writing to.
    """
    names = {f"{place}.json": each for place, each in enumerate(objects)}
    for name, each in names.items():
        (folder / name).write_text(json.dumps(each), encoding="utf-8")
    words = ["-strict", "-verbose", "-output", "json", "-schema-location", f"{schemas}/{LOCATION}"]
    done = _run(program, *words, str(folder))
    results: list[dict[str, str]] = json.loads(done.stdout)["resources"]
    assert len(results) == len(names), f"{len(results)} of {len(names)} objects were looked at: {done.stderr}"
    return {
        subject(names[Path(each["filename"]).name]): each["msg"] or each["status"]
        for each in results
        if each["status"] != "statusValid"
    }


@dataclass(frozen=True)
class Finding:
    """One thing that kube-score has to say of an object."""

    check: str
    subject: str
    comment: str

    def __str__(self) -> str:
        return f"{self.check}: {self.subject}: {self.comment}"


def kube_score(program: Path, objects: Sequence[Manifest], optional: Sequence[str] = ()) -> list[Finding]:
    """Return all that kube-score would rather have otherwise, warnings included.

    Args:
        program: kube-score.
        objects: everything that belongs together: some checks are about two objects.
        optional: checks beside those that are on by default.
    """
    words = [word for name in optional for word in ("--enable-optional-test", name)]
    text = "\n---\n".join(json.dumps(each) for each in objects)
    done = _run(program, "score", "-o", "json", "--kubernetes-version", KUBERNETES, *words, "-", text=text)
    assert done.stdout.startswith("["), done.stdout + done.stderr
    return [
        Finding(check["check"]["id"], _scored(each), comment)
        for each in json.loads(done.stdout)
        for check in each["checks"] or ()
        if not check["skipped"] and check["grade"] < OK
        for comment in _comments(check)
    ]


def _scored(each: Mapping[str, Any]) -> str:
    return subject({"kind": each["type_meta"]["kind"], "metadata": each["object_meta"]})


def _comments(check: Mapping[str, Any]) -> list[str]:
    """Return what it says, with the container's name before it where it is about one."""
    return [f"{each['path']} {each['summary']}".strip() for each in check["comments"] or ()] or [""]


def checks_of(program: Path) -> dict[str, bool]:
    """Return every check that kube-score has, and whether it must be asked for."""
    rows = csv.reader(_run(program, "list").stdout.splitlines())
    return {name: kind == "optional" for name, _, _, kind in rows}


def pod_security(
    program: Path, levels: Mapping[str, str], objects: Sequence[Manifest]
) -> dict[str, list[str]]:
    """Return the rules that pods break, by subject; empty when all are admitted.

    Args:
        program: the catalogue's pod-security.
        levels: the level that each namespace enforces.
        objects: those that make pods are looked at.
    """
    asked = [
        {
            "name": subject(each),
            "level": levels[section(each, "metadata")["namespace"]],
            "metadata": section(each, "spec", "template", "metadata"),
            "spec": pod,
        }
        for each, pod in workloads(objects)
    ]
    done = _run(program, text=json.dumps(asked))
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(answers) == len(asked)
    return {each["name"]: each["refused"] for each in answers if each["refused"]}


def _run(program: Path, *words: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *words], input=text, capture_output=True, text=True, check=False, timeout=300
    )
