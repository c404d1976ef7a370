from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tidegate.host.daemon.layout import UNIX_PATH_MAX, Layout


def test_all_below_the_state_folder_where_sockets_fit(tmp_path: Path) -> None:
    layout = Layout.of(Path("/srv/tidegate"))
    assert layout.run == layout.root == Path("/srv/tidegate/engine")
    assert layout.host == "unix:///srv/tidegate/engine/docker.sock"


@pytest.mark.parametrize("name", ["x" * 90, "ä" * 40])
def test_sockets_move_where_the_path_is_too_long_in_bytes(tmp_path: Path, name: str) -> None:
    state = Path("/srv") / name
    layout = Layout.of(state)
    assert layout.root == state / "engine"
    assert layout.run.parent == Path("/run")
    assert layout.run == Layout.of(state).run
    assert layout.run != Layout.of(Path("/srv") / ("y" * 90)).run
    longest = f"{layout.exec_root}/libnetwork/0123456789ab.sock"
    assert len(longest.encode()) <= UNIX_PATH_MAX


def test_the_limit_is_the_kernels(tmp_path: Path) -> None:
    """A path of the longest allowed length can be bound, one byte more cannot."""
    base = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as fits, socket.socket(socket.AF_UNIX) as exceeds:
        fits.bind(base + "x" * (UNIX_PATH_MAX - len(base)))
        with pytest.raises(OSError, match="too long"):
            exceeds.bind(base + "y" * (UNIX_PATH_MAX + 1 - len(base)))


def test_links_in_the_state_folder_are_resolved(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert Layout.of(tmp_path / "link") == Layout.of(tmp_path / "real")


def test_the_users_own_state_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", "/srv/mine")
    assert Layout.of().root == Path("/srv/mine/engine")
