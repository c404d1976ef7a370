from __future__ import annotations

from pathlib import Path

import pytest

from bench import knee, stack
from bench.__main__ import main
from bench.goals import verdict
from bench.page import page
from bench.raw import Raw, Sample, write
from bench.suite import NAMES, benchmark


def _raw(name: str, samples: list[Sample], *, quick: bool = False) -> Raw:
    return Raw(
        name, 1_700_000_000.0, 10.0, 0.5, 1, quick, {"cores": "2"}, samples, ["a limit of the machine"]
    )


def _stack(full_rps: float, *, discarded: bool = False) -> Raw:
    figures = {"cpu_us": 100.0, "p50_ms": 1.0, "p99_ms": 2.0, "generator_share": 0.1}
    return _raw(
        "stack",
        [
            {"variant": "bare", "repetition": 1, "rps": 1000.0, **figures},
            {"variant": "full", "repetition": 1, "rps": full_rps, "discarded": discarded, **figures},
        ],
    )


def test_without_figures_every_section_says_so_and_invents_none() -> None:
    text = page({})

    assert text.count("Not measured yet") == len(NAMES)
    assert all(f"## {benchmark(name).TITLE}\n" in text for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_section_bears_that_nothing_counted(name: str) -> None:
    text = page({name: _raw(name, [])})

    assert text.count("Not measured yet") == len(NAMES) - 1
    assert "**met**" not in text.partition(benchmark(name).TITLE)[2]


@pytest.mark.parametrize(("full_rps", "said"), [(800.0, "**met** (0.800)"), (600.0, "**not met** (0.600)")])
def test_the_goal_of_the_stack_is_judged_by_the_ratio(full_rps: float, said: str) -> None:
    assert said in stack.render(_stack(full_rps))


def test_a_goal_is_not_met_by_runs_that_do_not_count() -> None:
    text = page({"stack": _stack(1000.0, discarded=True)})

    assert "**not met** (no figure)" in text
    assert "1 of 2 runs discarded" in text


def test_the_page_tells_the_machine_once_and_every_note() -> None:
    text = page({"stack": _stack(800.0)})

    assert text.count("## Machine\n") == 1
    assert "| cores | 2 |" in text
    assert "- a limit of the machine" in text


def test_a_trial_is_called_one() -> None:
    assert "A trial in small doses" in page({"start": _raw("start", [], quick=True)})


def test_a_bound_is_met_at_the_bound_itself() -> None:
    assert "**met**" in verdict("g", 25.0, most=25.0)
    assert "**not met**" in verdict("g", 25.1, most=25.0)
    assert "**not met**" in verdict("g", 0.74, least=0.75)


def _offered(variant: str, fraction: float, p95_ms: float, rps: float, errors: int = 0) -> Sample:
    return {
        "variant": variant,
        "repetition": 1,
        "loop": "open",
        "fraction": fraction,
        "offered_rps": 1000 * fraction,
        "rps": rps,
        "p95_ms": p95_ms,
        "errors": errors,
    }


class TestKnee:
    def test_it_is_the_last_rate_before_the_first_that_was_too_slow(self) -> None:
        samples = [_offered("a", 0.5, 5, 500), _offered("a", 0.7, 60, 700), _offered("a", 0.85, 5, 850)]

        assert knee.knee_rps(_raw("knee", samples), "a") == 500

    def test_answers_that_failed_to_come_are_no_capacity(self) -> None:
        samples = [_offered("a", 0.5, 5, 500), _offered("a", 0.7, 5, 600), _offered("b", 0.5, 5, 500, 1)]

        assert knee.knee_rps(_raw("knee", samples), "a") == 500
        assert knee.knee_rps(_raw("knee", samples), "b") is None

    def test_latency_saved_is_compared_with_the_capacity_gained(self) -> None:
        one: Sample = {"variant": "uvicorn", "repetition": 1, "loop": "closed", "rps": 100.0, "mean_ms": 10.0}
        two = one | {"variant": "gunicorn 2 workers, 2 cores", "rps": 200.0, "mean_ms": 5.5}

        assert knee.bound(_raw("knee", [one, two])) == pytest.approx((2.0, 0.45, 0.5))

    def test_two_cores_that_gain_nothing_do_not_meet_the_goal(self) -> None:
        one: Sample = {"variant": "uvicorn", "repetition": 1, "loop": "closed", "rps": 100.0, "mean_ms": 10.0}
        two = one | {"variant": "gunicorn 2 workers, 2 cores", "rps": 80.0, "mean_ms": 12.5}

        assert "**not met**" in knee.render(_raw("knee", [one, two]))


class TestCommand:
    def test_a_finished_benchmark_is_not_measured_again(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        write(_stack(800.0), tmp_path)

        assert main(["stack", "--results", str(tmp_path)]) == 0
        assert "kept from before" in capsys.readouterr().err

    def test_a_benchmark_that_is_not_there_is_a_usage_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(["no-such"])

        assert ended.value.code == 2
        assert "there is no benchmark no-such" in capsys.readouterr().err

    def test_broken_figures_are_one_line_and_status_3(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "stack.json").write_text("{")

        assert main(["report", "--results", str(tmp_path)]) == 3
        assert capsys.readouterr().err.startswith("error: the raw figures cannot be read")
