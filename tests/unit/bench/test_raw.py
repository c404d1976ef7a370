from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.raw import Raw, Sample, place, read, table, write
from tidegate.errors import TidegateError


def raw(samples: list[Sample], **changes: object) -> Raw:
    made = Raw(
        benchmark="stack",
        began_at=1_700_000_000.0,
        took_s=10.0,
        stolen_s=0.1,
        repetitions=2,
        quick=False,
        machine={"cores": "2"},
        samples=samples,
    )
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


_SAMPLES: list[Sample] = [
    {"variant": "a", "repetition": 1, "rps": 100.0},
    {"variant": "b", "repetition": 1, "rps": 50.0},
    {"variant": "a", "repetition": 2, "rps": 200.0},
    {"variant": "b", "repetition": 2, "rps": 150.0, "discarded": True},
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    kept = raw(_SAMPLES, notes=["a limit"])
    write(kept, tmp_path)

    assert read("stack", tmp_path) == kept


def test_earlier_figures_are_moved_and_never_lost(tmp_path: Path) -> None:
    write(raw(_SAMPLES), tmp_path)
    write(raw([]), tmp_path)

    assert read("stack", tmp_path) == raw([])
    assert len(list((tmp_path / "earlier").glob("stack-*.json"))) == 1


def test_what_was_not_measured_is_none(tmp_path: Path) -> None:
    assert read("stack", tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", '{"benchmark": "stack"}', "[]"])
def test_a_broken_file_is_one_clear_error(tmp_path: Path, text: str) -> None:
    place("stack", tmp_path).write_text(text)

    with pytest.raises(TidegateError, match="--again"):
        read("stack", tmp_path)


def test_another_format_is_not_guessed_at(tmp_path: Path) -> None:
    write(raw(_SAMPLES, format=99), tmp_path)

    with pytest.raises(TidegateError, match="format 99"):
        read("stack", tmp_path)


def test_discarded_samples_do_not_count() -> None:
    found = raw(_SAMPLES)

    assert found.discarded() == 1
    assert [sample["rps"] for sample in found.counted(variant="b")] == [50.0]


def test_ratios_are_taken_within_a_repetition_that_has_both() -> None:
    assert raw(_SAMPLES).ratios("rps", "b", "a") == [0.5]


def test_a_figure_that_no_sample_has_has_no_spread() -> None:
    assert raw(_SAMPLES).spread("p99_ms", variant="a") is None


def test_variants_keep_the_order_they_ran_in() -> None:
    assert raw(_SAMPLES).variants() == ["a", "b"]


def test_a_table_is_markdown() -> None:
    assert table(("x", "y"), [("1", "2")]) == "| x | y |\n|---|---|\n| 1 | 2 |"
