from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import TidegateError
from tidegate.run import JsonlWriter, is_torn, read_jsonl

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=6)


def storable(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without lone surrogates, which have no UTF-8 form."""
    text = json.dumps(records, ensure_ascii=False).encode("utf-8", "replace").decode()
    return json.loads(text)


def read(path: Path) -> list[dict[str, Any]]:
    return [record for _, record in read_jsonl(path)]


def write(path: Path, records: list[dict[str, Any]]) -> None:
    with JsonlWriter(path) as writer:
        for record in records:
            writer.write(record)


@given(records=RECORDS.map(storable), data=st.data())
def test_a_file_cut_at_any_byte_gives_the_whole_lines_before(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    write(path, records)
    assert read(path) == records
    raw = path.read_bytes()
    cut = data.draw(st.integers(0, len(raw)))
    path.write_bytes(raw[:cut])
    ends = [i for i, byte in enumerate(raw) if byte == 10]
    whole = sum(end <= cut for end in ends)
    assert read(path) == records[:whole]
    line_start = max((end + 1 for end in ends if end < cut), default=0)
    assert is_torn(path) == (cut > line_start and cut not in ends)


@given(records=RECORDS.map(storable), data=st.data())
def test_a_writer_that_comes_after_a_crash_makes_the_file_whole(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("jsonl") / "x.jsonl"
    write(path, records)
    raw = path.read_bytes()
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    kept, torn = read(path), is_torn(path)
    with JsonlWriter(path) as writer:
        writer.write({"after": 1})
    assert read(path) == [*kept, {"after": 1}]
    assert not is_torn(path)
    assert (writer.cut_off_bytes > 0) == torn


def test_a_torn_line_longer_than_a_read_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a":1}\n{"b":"' + b"x" * 200_000)
    assert is_torn(path)
    with JsonlWriter(path) as writer:
        writer.write({"c": 2})
    assert read(path) == [{"a": 1}, {"c": 2}]


def test_a_line_is_on_disk_before_the_writer_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    writer = JsonlWriter(path)
    writer.write({"a": 1})
    assert read(path) == [{"a": 1}]
    writer.close()
    writer.close()
    with pytest.raises(TidegateError, match="closed"):
        writer.write({})


@pytest.mark.parametrize("record", [{"a": float("nan")}, {"a": float("inf")}, {"a": {1}}, {"a": "\ud800"}])
def test_what_has_no_json_form_is_refused_and_writes_nothing(tmp_path: Path, record: dict[str, Any]) -> None:
    path = tmp_path / "x.jsonl"
    with JsonlWriter(path) as writer, pytest.raises(TidegateError, match="no JSON form"):
        writer.write(record)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("damage", [b"{", b"[1]", b"", b"\xff", b"null"])
def test_damage_in_the_middle_is_named_with_its_line(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a":1}\n' + damage + b'\n{"b":2}\n')
    with pytest.raises(TidegateError, match=r"x\.jsonl:2"):
        read(path)


def test_a_file_that_is_absent_has_no_lines(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == []
    assert not is_torn(tmp_path / "none.jsonl")


def test_a_full_disk_leaves_no_part_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with JsonlWriter(path) as writer:
        writer.write({"a": 1})
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, hard))
        try:
            with pytest.raises(TidegateError, match=r"disk is full|cannot write"):
                writer.write({"b": "x" * 100})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        writer.write({"c": 3})
    assert read(path) == [{"a": 1}, {"c": 3}]


def test_processes_that_share_a_file_do_not_tear_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    program = (
        "import sys; from pathlib import Path; from tidegate.run.jsonl import JsonlWriter\n"
        "with JsonlWriter(Path(sys.argv[1])) as w:\n"
        "    for i in range(300): w.write({'who': sys.argv[2], 'i': i, 'x': 'x' * (i * 37 % 9000)})"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, str(path), who]) for who in "ab"]
    assert [process.wait() for process in started] == [0, 0]
    records = read(path)
    assert {who: [r["i"] for r in records if r["who"] == who] for who in "ab"} == {
        who: list(range(300)) for who in "ab"
    }
