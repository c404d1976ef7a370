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
# An engine of two nodes: `old` exports its tags, `new` takes an archive that came whole.
cd {folder}
echo "$*" >> said
case "$*" in
  *crictl*) cat "$2.json" ;;
  "exec old"*export*) shift 6; printf '%s\\n' "$@" > old.tar ;;
  "cp old:"*) cat old.tar ;;
  "cp - new:"*) cat > new.tar ;;
  "exec new"*import*)
    if [ -e refuses ]; then echo "ctr: no space left on device" >&2; exit 1; fi
    if [ -e once ]; then rm once; exit 0; fi
    cmp -s old.tar new.tar && cp old.json new.json ;;
  "exec old rm"*) rm -f old.tar ;;
  "exec new rm"*) rm -f new.tar ;;
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
    said = nodes / "said"
    return [line for line in said.read_text().splitlines() if " export " in line]


def test_only_what_is_missing_is_sent_and_no_archive_is_left(nodes: Path) -> None:
    copy_missing("old", "new", ALL)
    copy_missing("old", "new", ALL)
    (export,) = _exports(nodes)
    assert export.endswith(".tar service")
    assert not list(nodes.glob("*.tar"))


def test_what_is_not_wanted_is_not_sent(nodes: Path) -> None:
    copy_missing("old", "new", {"pause"})
    assert _exports(nodes) == []


def test_a_copy_that_brought_nothing_is_made_again(nodes: Path) -> None:
    (nodes / "once").touch()
    copy_missing("old", "new", ALL)
    assert len(_exports(nodes)) == 2


def test_a_node_that_refuses_twice_is_told_of(nodes: Path) -> None:
    (nodes / "refuses").touch()
    with pytest.raises(TidegateError, match=r"from old to new: .*no space left on device"):
        copy_missing("old", "new", ALL)
    assert len(_exports(nodes)) == 2
    assert not list(nodes.glob("*.tar"))
