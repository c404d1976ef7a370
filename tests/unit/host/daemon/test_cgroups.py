from __future__ import annotations

from pathlib import Path

from tidegate.host.daemon.cgroups import container_groups, container_ids, remove_groups


def test_ids_come_from_the_shims_arguments() -> None:
    shims = [["shim", "-namespace", "moby", "-id", "abc", "-address", "/x"], ["shim", "-id"], []]
    assert container_ids(shims) == ["abc"]


def test_finds_groups_of_both_versions_and_drivers(tmp_path: Path) -> None:
    wanted = [
        tmp_path / "docker/abc",
        tmp_path / "memory/docker/abc",
        tmp_path / "cpu/system.slice/docker-abc.scope",
    ]
    for group in (*wanted, tmp_path / "memory/docker/other"):
        (group / "kubelet/pod").mkdir(parents=True)
    found = container_groups(["abc"], root=tmp_path)
    assert sorted(found) == sorted(wanted)
    remove_groups(found)
    assert not any(group.exists() for group in wanted)
    assert (tmp_path / "memory/docker/other/kubelet/pod").is_dir()
    assert container_groups(["abc"], root=tmp_path / "absent") == []
