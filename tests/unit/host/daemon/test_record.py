from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.host.daemon.record import Before, Record, boot_id, read_record, write_atomically, write_record
from tidegate.host.daemon.settings import EngineSettings

RECORD = Record(
    host="unix:///x",
    boot_id="b",
    started_s=1.5,
    settings=EngineSettings(),
    bounded=True,
    before=Before(iptables="*filter\n", ip6tables=None, bridges=("docker0",), folders=()),
)


def test_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    write_record(path, RECORD)
    assert read_record(path) == RECORD
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["engine.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 1}'])
def test_a_torn_or_foreign_file_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "engine.json").write_text(text)
    assert read_record(tmp_path / "engine.json") is None
    assert read_record(tmp_path / "absent") is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udcff")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_the_boot_has_an_identity() -> None:
    assert boot_id() == boot_id()
    assert len(boot_id()) == 36
