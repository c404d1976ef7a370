from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.run import save_report, write_atomic


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert [found.name for found in tmp_path.iterdir()] == ["x"]


def test_a_file_that_cannot_be_written_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(TidegateError, match="cannot write"):
        write_atomic(tmp_path / "x", b"one")
    assert [found.name for found in tmp_path.iterdir()] == ["x"]
    with pytest.raises(TidegateError, match="cannot write"):
        write_atomic(tmp_path / "none" / "x", b"one")


def test_the_report_is_named(tmp_path: Path) -> None:
    assert save_report(tmp_path, "<p>ä</p>").read_text(encoding="utf-8") == "<p>ä</p>"
