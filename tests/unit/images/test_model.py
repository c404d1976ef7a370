"""The catalogue's model refuses what it does not know, and names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import tiny_project

from tidegate.errors import TidegateError
from tidegate.images.catalogue import load_catalogue


def load(tmp_path: Path, *path: str, value: Any) -> None:
    document = tiny_project.catalogue()
    inner: Any = document
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    load_catalogue(tiny_project.write(tmp_path / "project", document))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("images", "greeter", "refrence"), "a:b", r"unknown key .*greeter\.refrence.*reference"),
        (("sourec",), "auto", r"unknown key .*source"),
        (("source",), "github", r"'auto', 'registry' or 'packages'"),
        (("toolchain", "version"), "1.26", r"toolchain\.version"),
        (("go", "hello", "cost", "seconds"), "5", r"seconds"),
        (("go", "hello", "cost", "seconds"), -1, r"greater than or equal to 0"),
        (("go", "hello", "folder"), "../elsewhere", r"not a name"),
        (("images", "greeter", "recipe", "context"), {"/etc/x": {"binary": "hello"}}, r"not a path below"),
        (("images", "greeter", "recipe", "context"), {"a/../../x": {"binary": "hello"}}, r"not a path below"),
        (("images", "greeter", "recipe", "context"), {"x": {}}, r"exactly one of"),
        (
            ("images", "greeter", "recipe", "context"),
            {"x": {"binary": "hello", "project": "app"}},
            r"exactly one of",
        ),
        (("images", "greeter", "recipe", "context"), {"x": {"binary": "helo"}}, r"names 'helo'"),
        (("images", "greeter", "recipe", "on"), "own", r"circle: greeter on own on greeter"),
        (("images", "greeter", "recipe", "on"), "bullseye", r"neither an image nor a base"),
        (("images", "greeter", "recipe", "holds"), ["bookworm"], r"neither an image nor a base"),
        (("tools", "hello", "beside"), ["gone"], r"tools\.hello names 'gone'"),
        (("toolchain", "bootstrap"), "other", r"bootstrap names 'other'"),
        (("c",), {"hello": {"file": "hello.c"}}, r"'hello' is made by both"),
    ],
)
def test_a_slip_is_named(tmp_path: Path, path: tuple[str, ...], value: Any, message: str) -> None:
    with pytest.raises(TidegateError, match=message) as caught:
        load(tmp_path, *path, value=value)
    assert "\n" not in str(caught.value)


def test_text_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    root = tiny_project.write(tmp_path / "project")
    (root / "images/catalogue.yaml").write_text("a: [1,\n")
    with pytest.raises(TidegateError, match=r"not valid YAML.*") as caught:
        load_catalogue(root)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"cannot be read.*catalogue\.yaml"):
        load_catalogue(tmp_path)
