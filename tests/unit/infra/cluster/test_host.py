from __future__ import annotations

from pathlib import Path

import pytest

from infra.cluster import docker
from infra.cluster.host import HostTraits, detect

ALL = "CapBnd:\t000001ffffffffff\n"
WITHOUT_SYS_RESOURCE = "CapBnd:\t000001fffeffffff\n"


def status(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "status"
    path.write_text(f"Name:\tpython\n{text}Seccomp:\t0\n")
    return path


@pytest.mark.parametrize(
    ("bounding", "version", "host", "traits"),
    [
        (ALL, "2", "", HostTraits()),
        (ALL, "1", "unix:///run/docker.sock", HostTraits(cgroup_v1=True)),
        (WITHOUT_SYS_RESOURCE, "2", "", HostTraits(can_raise_limits=False)),
        (WITHOUT_SYS_RESOURCE, "2", "tcp://10.0.0.1:2376", HostTraits()),
        ("", "2", "", HostTraits()),
    ],
)
def test_traits(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bounding: str,
    version: str,
    host: str,
    traits: HostTraits,
) -> None:
    monkeypatch.setattr(docker, "cgroup_version", lambda: version)
    monkeypatch.setenv("DOCKER_HOST", host)
    assert detect(status(tmp_path, bounding)) == traits


def test_a_machine_without_proc_is_ordinary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker, "cgroup_version", lambda: "2")
    monkeypatch.setenv("DOCKER_HOST", "")
    assert detect(tmp_path / "absent") == HostTraits()
