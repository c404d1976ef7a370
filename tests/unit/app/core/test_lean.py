from __future__ import annotations

import sys
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import pytest

from app.core.lean import defer_package

PACKAGE = "tidegate_deferred_example"


@pytest.fixture(autouse=True)
def _package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from .dear import HEAVY\nfrom .light import RUNS\nRUNS.append(__name__)\n"
    )
    (folder / "dear.py").write_text("HEAVY = 'heavy'\n")
    (folder / "light.py").write_text("from . import shared\nRUNS = []\n")
    (folder / "shared.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def loaded() -> set[str]:
    return {name.removeprefix(PACKAGE) for name in sys.modules if name.startswith(PACKAGE)}


def test_a_part_comes_without_the_rest() -> None:
    defer_package(PACKAGE)
    assert import_module(f"{PACKAGE}.light").RUNS == []
    assert loaded() == {"", ".light", ".shared"}


def test_asked_for_itself_the_package_is_whole_and_was_run_once() -> None:
    defer_package(PACKAGE)
    light = import_module(f"{PACKAGE}.light")
    package = import_module(PACKAGE)
    assert package.HEAVY == "heavy"
    assert package.RUNS is light.RUNS
    assert light.RUNS == [PACKAGE]
    assert package.light is light


def test_a_part_that_is_asked_of_the_package_is_imported() -> None:
    defer_package(PACKAGE)
    assert import_module(PACKAGE).dear.HEAVY == "heavy"
    assert loaded() == {"", ".dear"}


def test_a_name_that_a_part_has_is_taken_from_there() -> None:
    defer_package(PACKAGE, HEAVY="dear")
    assert import_module(PACKAGE).HEAVY == "heavy"
    assert loaded() == {"", ".dear"}


def test_what_the_package_does_not_have_is_said_as_always() -> None:
    defer_package(PACKAGE)
    with pytest.raises(AttributeError, match="nothing"):
        _ = import_module(PACKAGE).nothing
    with pytest.raises(ModuleNotFoundError, match="nothing"):
        import_module(f"{PACKAGE}.nothing")


def test_a_loaded_package_and_an_absent_one_stay_as_they_are() -> None:
    package = import_module(PACKAGE)
    defer_package(PACKAGE)
    assert import_module(PACKAGE) is package
    assert package.RUNS == [PACKAGE]
    defer_package("tidegate_absent_example")
    assert "tidegate_absent_example" not in sys.modules
