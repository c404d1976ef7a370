from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.nodes.images import copy_missing, full_reference, missing


def _listing(**held: str) -> str:
    return json.dumps({"images": [{"id": held[tag], "repoTags": [tag]} for tag in held]})


def test_what_the_new_node_has_is_not_copied() -> None:
    assert missing(_listing(pause="1", service="2"), _listing(pause="1")) == ["service"]


def test_the_same_tag_with_another_content_is_copied() -> None:
    assert missing(_listing(service="2"), _listing(service="1")) == ["service"]


def test_an_image_without_a_tag_cannot_be_named_and_is_left() -> None:
    untagged = json.dumps({"images": [{"id": "3", "repoTags": []}, {"id": "4"}]})
    assert missing(untagged, '{"images": null}') == []


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("redis:7", "docker.io/library/redis:7"),
        ("tidegate/service:1", "docker.io/tidegate/service:1"),
        ("registry.k8s.io/pause:3", "registry.k8s.io/pause:3"),
        ("localhost/mine:1", "localhost/mine:1"),
        ("host:5000/mine:1", "host:5000/mine:1"),
    ],
)
def test_an_image_has_its_registry_in_its_name(given: str, full: str) -> None:
    assert full_reference(given) == full


ALL = {"pause", "service"}

DOCKER = """#!/bin/sh
# An engine of two nodes: `old` exports its tags, a line each; `new` takes the lines that come before zeros.
cd {folder}
node=$2; [ "$2" = --interactive ] && node=$3
case "$*" in
  *crictl*) cat "$node.json" ;;
  *"export -"*) echo "$*" >> exports; shift 6; printf '%s\\n' "$@"; head -c 5000000 /dev/zero ;;
  *import*)
    if [ -e refuses ]; then echo "ctr: unexpected EOF" >&2; exit 1; fi
    [ -e once ] && { rm once; echo "ctr: short read" >&2; exit 1; }
    cp old.json new.json ;;
esac
"""


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an engine's state; its program comes first in the PATH."""
    program = tmp_path / "docker"
    program.write_text(DOCKER.replace("{folder}", str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "old.json").write_text(_listing(pause="1", service="2"))
    (tmp_path / "new.json").write_text(_listing(pause="1"))
    return tmp_path


def _exports(nodes: Path) -> list[str]:
    found = nodes / "exports"
    return found.read_text().splitlines() if found.exists() else []


def test_only_what_is_missing_is_sent_and_the_rest_of_the_stream_is_nobodys_loss(nodes: Path) -> None:
    copy_missing("old", "new", ALL)
    copy_missing("old", "new", ALL)
    (export,) = _exports(nodes)
    assert export.endswith("export service")


def test_what_is_not_wanted_is_not_sent(nodes: Path) -> None:
    copy_missing("old", "new", {"pause"})
    assert _exports(nodes) == []


def test_a_broken_copy_is_made_again(nodes: Path) -> None:
    (nodes / "once").touch()
    copy_missing("old", "new", ALL)
    assert len(_exports(nodes)) == 2


def test_a_node_that_refuses_twice_is_told_of(nodes: Path) -> None:
    (nodes / "refuses").touch()
    with pytest.raises(TidegateError, match="from old to new: ctr: unexpected EOF"):
        copy_missing("old", "new", ALL)
    assert len(_exports(nodes)) == 2
