"""Keys change when, and only when, something that is built changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import tiny_project

from tidegate.errors import TidegateError
from tidegate.images.catalogue import load_catalogue
from tidegate.images.keys import Keys


def keys(root: Path) -> Keys:
    return Keys(root, load_catalogue(root))


def all_keys(root: Path) -> dict[str, str]:
    found = keys(root)
    return {
        "hello": found.made("hello"),
        "base": found.base("bookworm"),
        "greeter": found.image("greeter"),
        "own": found.image("own"),
    }


def changed(root: Path, change: Callable[[], object]) -> set[str]:
    before = all_keys(root)
    change()
    after = all_keys(root)
    return {name for name in before if before[name] != after[name]}


def edit(root: Path, *path: str, value: Any) -> Callable[[], object]:
    def act() -> None:
        file = root / "images" / "catalogue.yaml"
        document = yaml.safe_load(file.read_text())
        inner = document
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = value
        file.write_text(yaml.safe_dump(document))

    return act


def append(file: Path, text: str) -> Callable[[], object]:
    return lambda: file.write_text((file.read_text() if file.exists() else "") + text)


GO = {"hello", "greeter", "own"}
NONE: set[str] = set()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("images/go/hello/go.mod", GO),
        ("images/go/hello/go.sum", GO),
        ("images/go/hello/main.go", GO),
        ("images/go/hello/extra.go", GO),
        ("images/greeter/Dockerfile", {"greeter", "own"}),
        ("images/greeter/extra.conf", {"greeter", "own"}),
        ("app/main.py", {"own"}),
        ("app/new.py", {"own"}),
        ("app/__pycache__/main.cpython-311.pyc", NONE),
        ("README.md", NONE),
    ],
)
def test_a_file_changes_the_keys_of_what_is_made_from_it(root: Path, name: str, expected: set[str]) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    assert changed(root, append(root / name, "// more\n")) == expected


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("toolchain", "version"), "1.26.9", GO),
        (("go", "hello", "binaries", "hello", "ldflags"), "-X main.greeting=other", GO),
        (("go", "hello", "binaries", "hello", "tags"), ["netgo"], GO),
        (("go", "hello", "binaries", "hello", "cgo"), True, GO),
        (("images", "greeter", "recipe", "entrypoint"), ["/bin/hello", "-v"], {"greeter", "own"}),
        (("images", "greeter", "recipe", "args"), {"A": "1"}, {"greeter", "own"}),
        (("images", "own", "recipe", "on"), "bookworm", {"own"}),
        (("bases", "bookworm", "suite"), "trixie", {"base"}),
        # What does not decide the content: figures, labels, where things come from.
        (("go", "hello", "cost", "seconds"), 500, NONE),
        (("go", "hello", "binaries", "hello", "result_mb"), 9, NONE),
        (("go", "hello", "versions"), {"hello": "v9"}, NONE),
        (("images", "greeter", "recipe", "cost", "seconds"), 50, NONE),
        (("images", "greeter", "role"), "base", NONE),
        (("source",), "registry", NONE),
        (("disk", "peak_gb"), 9, NONE),
    ],
)
def test_a_setting_changes_the_keys_of_what_it_decides(
    root: Path, path: tuple[str, ...], value: Any, expected: set[str]
) -> None:
    assert changed(root, edit(root, *path, value=value)) == expected


def test_an_executable_bit_counts(root: Path) -> None:
    assert changed(root, lambda: (root / "app/main.py").chmod(0o755)) == {"own"}


def test_a_copy_of_the_project_has_the_same_keys(root: Path, tmp_path: Path) -> None:
    assert all_keys(root) == all_keys(tiny_project.write(tmp_path / "elsewhere" / "copy"))


def test_files_of_a_module_depend_on_its_own_pin_only(root: Path) -> None:
    group = root / "images/go/hello"
    pins = "require (\n\texample.test/a v1.0.0\n\texample.test/b v1.0.0\n)\n"
    append(group / "go.mod", pins)()
    append(group / "go.sum", "example.test/a v1.0.0 h1:AAAA=\nexample.test/b v1.0.0 h1:BBBB=\n")()
    edit(root, "go", "hello", "files", value={"chart": {"module": "example.test/a", "path": "charts"}})()
    before = keys(root).made("chart")
    sums = group / "go.sum"
    sums.write_text(sums.read_text().replace("BBBB", "CCCC"))
    assert keys(root).made("chart") == before
    sums.write_text(sums.read_text().replace("AAAA", "DDDD"))
    assert keys(root).made("chart") != before


def test_a_recipe_without_its_files_is_one_clear_line(root: Path) -> None:
    (root / "images/greeter/Dockerfile").unlink()
    with pytest.raises(TidegateError, match=r"a recipe has no Dockerfile \(.*greeter\)"):
        keys(root).image("greeter")


def test_a_group_without_checksums_is_refused(root: Path) -> None:
    (root / "images/go/hello/go.sum").unlink()
    with pytest.raises(TidegateError, match=r"go\.sum.*Cure: commit it"):
        keys(root).made("hello")
