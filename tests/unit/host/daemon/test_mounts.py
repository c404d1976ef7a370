from __future__ import annotations

from pathlib import Path

from tidegate.host.daemon.mounts import mounts_below, remove_tree

INFO = """\
22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw
30 22 8:1 /srv/engine/data /srv/engine/data rw - ext4 /dev/sda1 rw
31 30 0:40 / /srv/engine/data/overlay2/ab/merged rw - overlay overlay rw
32 22 0:41 / /srv/engine-of-others/data rw - tmpfs tmpfs rw
33 22 0:42 / /srv/with\\040space\\134/x rw - tmpfs tmpfs rw
34 22 0:4 net:[4026532] /run/short/exec/netns/default rw - nsfs nsfs rw
torn line
"""


def test_inner_mounts_come_first_and_neighbours_are_left() -> None:
    found = mounts_below(INFO, [Path("/srv/engine"), Path("/run/short")])
    assert [str(p) for p in found] == [
        "/run/short/exec/netns/default",
        "/srv/engine/data/overlay2/ab/merged",
        "/srv/engine/data",
    ]


def test_names_are_unescaped() -> None:
    assert mounts_below(INFO, [Path("/srv/with space\\")]) == [Path("/srv/with space\\/x")]


def test_a_tree_goes_and_what_a_link_points_at_stays(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    tree = tmp_path / "tree/inner"
    tree.mkdir(parents=True)
    (tree / "link").symlink_to(kept)
    assert remove_tree(tmp_path / "tree") == []
    assert not (tmp_path / "tree").exists()
    (tmp_path / "link").symlink_to(kept)
    assert remove_tree(tmp_path / "link") == []
    assert remove_tree(tmp_path / "absent") == []
    assert kept.is_dir()
    assert not (tmp_path / "link").is_symlink()
