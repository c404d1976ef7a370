from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host import packages
from tidegate.host.apt import candidate, complaint, progress_of
from tidegate.host.packages import NEEDS, install_packages, is_debian, missing_packages


class Machine:
    """A folder tree that stands for a machine: programs on its PATH and files below its root."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.bin = folder / "bin"
        self.root.mkdir()
        self.bin.mkdir()

    def program(self, *names: str) -> None:
        for name in names:
            (self.bin / name).write_text("#!/bin/sh\n")
            (self.bin / name).chmod(0o755)

    def file(self, path: str, text: str = "") -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def missing(self, *purposes: packages.Purpose, known: tuple[str, ...] = ()) -> list[str]:
        return missing_packages(
            *purposes, root=self.root, path=str(self.bin), known=lambda name: name in known
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_an_empty_machine_lacks_everything(machine: Machine) -> None:
    assert machine.missing("engine") == ["docker.io", "iptables", "iproute2", "ca-certificates"]
    assert machine.missing("build") == ["debootstrap", "gcc", "libc6-dev", "git", "ca-certificates"]
    assert machine.missing("test") == ["redis-server", "nginx", "postgresql", "chromium-browser"]
    assert machine.missing("prometheus") == ["prometheus"]


def test_each_package_is_asked_for_once(machine: Machine) -> None:
    names = machine.missing("engine", "build", "test", "prometheus")
    assert len(names) == len(set(names)) == 13


def test_the_client_is_a_package_of_its_own_where_there_is_one(machine: Machine) -> None:
    assert machine.missing("engine", known=("docker-cli",))[:2] == ["docker.io", "docker-cli"]
    machine.program("dockerd")
    assert machine.missing("engine", known=("docker-cli",))[0] == "docker-cli"
    assert machine.missing("engine")[0] == "docker.io"


def test_what_came_from_elsewhere_is_not_installed_again(machine: Machine) -> None:
    machine.program("dockerd", "docker", "iptables", "ip", "google-chrome", "valkey-server", "gcc", "git")
    machine.program("nginx")
    machine.file("etc/ssl/certs/ca-certificates.crt")
    machine.file("usr/lib/postgresql/15/bin/postgres")
    machine.file("usr/include/stdio.h")
    assert machine.missing("engine", "test") == []
    assert machine.missing("build") == ["debootstrap"]


def test_apparmor_is_needed_where_the_kernel_enforces_it(machine: Machine) -> None:
    machine.file("sys/module/apparmor/parameters/enabled", "Y\n")
    assert "apparmor" in machine.missing("engine")
    assert "apparmor" not in machine.missing("test")
    machine.program("apparmor_parser")
    assert "apparmor" not in machine.missing("engine")


def test_apt_is_asked_only_where_there_is_a_choice(machine: Machine) -> None:
    asked: list[str] = []

    def known(name: str) -> bool:
        asked.append(name)
        return True

    missing_packages("build", root=machine.root, path=str(machine.bin), known=known)
    assert asked == []


@pytest.mark.parametrize(
    ("release", "debian"),
    [
        ("ID=debian\n", True),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', True),
        ("ID=fedora\nVERSION_ID=42\n", False),
        ('NAME="debian"\n', False),
        ("", False),
    ],
)
def test_knows_debian_and_what_derives_from_it(machine: Machine, release: str, debian: bool) -> None:
    machine.file("etc/os-release", release)
    assert is_debian(machine.root) is debian


def test_nothing_to_install_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def install(names: list[str]) -> None:
        pytest.fail(f"installed {names}")

    monkeypatch.setattr(packages.apt, "install", install)
    install_packages([])


def test_a_plain_user_gets_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(packages, "is_debian", lambda: True)

    def which(name: str) -> str:
        return f"/usr/bin/{name}"

    monkeypatch.setattr(shutil, "which", which)
    with pytest.raises(
        TidegateError, match=r"sudo apt-get install --no-install-recommends redis-server chromium"
    ):
        install_packages(["redis-server", "chromium"])


def test_another_system_is_told_what_debian_calls_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "is_debian", lambda: False)
    with pytest.raises(TidegateError, match=r"which Debian has in: docker\.io"):
        install_packages(["docker.io"])


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (
            "pmstatus:redis-server:42.8571:Unpacking redis-server (amd64)\n",
            "43 %: Unpacking redis-server (amd64)",
        ),
        ("dlstatus:1:20.25:Retrieving file 1 of 5\n", "20 %: Retrieving file 1 of 5"),
        ("pmstatus:x:much:y", None),
        ("media-change:x:y:z", None),
        ("pmconffile:/etc/x : 1", None),
        ("", None),
    ],
)
def test_reads_apts_status_channel(line: str, text: str | None) -> None:
    assert progress_of(line) == text


def test_apts_own_reason_is_found() -> None:
    output = "Reading package lists...\nE: Unable to locate package nosuch\nE: Sub-process failed\nW: note\n"
    assert complaint(output) == "Unable to locate package nosuch"
    assert complaint("one\ntwo\n") == "two"
    assert complaint("") == "no output"


@pytest.mark.skipif(shutil.which("apt-cache") is None, reason="apt is not here")
def test_apt_tells_what_it_can_install() -> None:
    assert candidate("bash")
    assert not candidate("no-such-package-of-any-name")


def test_every_need_can_be_seen_to_be_met() -> None:
    for need in (need for needs in NEEDS.values() for need in needs):
        assert need.programs or need.files, need
