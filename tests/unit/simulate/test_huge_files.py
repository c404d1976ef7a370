"""A gigabyte that is no trace and no history: one error with its line, in bounded memory.

The files are sparse: they take no room on the disk. Each is read by a process of its own, which tells what
memory it took at most.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GIB = 1 << 30
MOST_MIB = 400

_TRACE = """
from tidegate.errors import TidegateError
from tidegate.simulate.world.traces import read_trace
try:
    read_trace([path])
except TidegateError as error:
    told = [str(error)]
"""
_HISTORIES = """
from tidegate.simulate.decisions import LONGEST_LINE, decide_lines
with path.open("rb") as stream:
    told = [[fine, shown] for fine, shown in decide_lines(stream, longest=LONGEST_LINE, explained=False)]
"""
_AROUND = """
import json, re, sys
from pathlib import Path
path = Path(sys.argv[1])
{}
# Of this program alone: `ru_maxrss` also counts what the process was before it, a copy of the tests' own.
most_kib = re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([told, int(most_kib) // 1024]))
"""


def read(code: str, path: Path) -> list[Any]:
    """Return what the process told; its memory is checked."""
    words = [sys.executable, "-c", _AROUND.format(code), str(path)]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300)
    told, most_mib = json.loads(done.stdout)
    assert most_mib < MOST_MIB
    return told


def sparse(path: Path, head: bytes) -> Path:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(GIB)
    return path


@pytest.mark.parametrize(
    ("head", "line"),
    [(b"", 1), (b"2020-01-31 10:00,5\n", 2), (b"2020-01-31 10:00,5\n2020-01-31 10:01,6\n2020", 3)],
)
def test_a_huge_trace_is_one_error_with_its_line(tmp_path: Path, head: bytes, line: int) -> None:
    (told,) = read(_TRACE, sparse(tmp_path / "day.csv", head))
    assert f"day.csv:{line}" in str(told)
    assert "bytes" in str(told)


def test_a_huge_history_is_an_error_with_its_line_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = sparse(tmp_path / "histories.jsonl", b"{}\n")
    with path.open("r+b") as file:
        file.seek(GIB)
        file.write(b"\n{}\n")
    told = read(_HISTORIES, path)
    lines = [shown for _, shown in told]
    assert [shown["line"] for shown in lines] == [1, 2, 3]
    assert "bytes" in lines[1]["error"]
    assert str(GIB - 3) in lines[1]["error"].replace(",", "")
