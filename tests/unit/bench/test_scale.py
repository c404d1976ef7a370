from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console
from typer.testing import CliRunner

from tidegate.bench import scale
from tidegate.bench.cli import app, within
from tidegate.bench.figures import ScaleRun, together
from tidegate.bench.scale import Step, bench_scale, require_policy
from tidegate.bench.view import scale_view
from tidegate.errors import TidegateError
from tidegate.load.catalogue import plan_scenario
from tidegate.models.policy import Policy
from tidegate.models.stack import load_stack
from tidegate.prepare import Site
from tidegate.prove.settle import Limits

ROOT = Path(__file__).resolve().parents[3]
STEP = Step(8, 47, 2, 60, 30.0, 120.0)


def policy(**hpa: Any) -> Policy:
    return Policy.model_validate({"web": {"hpa": {"min_replicas": 8, "max_replicas": 47, **hpa}}})


def site(wanted: Policy) -> Site:
    return cast("Site", SimpleNamespace(config=SimpleNamespace(policy=wanted), environment={}))


def run_of(seconds: float | None) -> ScaleRun:
    return ScaleRun(
        run="runs/one",
        began_with=8,
        most_ready=47,
        seconds=seconds,
        parts_s={"metric": 12.5},
        last_pod=None,
        decisions=(),
        nodes=(),
        requests=100,
        failed=0,
    )


@pytest.mark.parametrize(("key", "value"), [("min_replicas", 2), ("max_replicas", 60)])
def test_a_policy_with_another_floor_or_ceiling_is_refused(key: str, value: int) -> None:
    with pytest.raises(TidegateError, match=f"{key} is {value}"):
        require_policy(policy(**{key: value}), STEP)
    require_policy(policy(), STEP)


def test_the_stack_for_it_has_the_floor_and_ceiling_of_the_commands_defaults() -> None:
    require_policy(load_stack(ROOT / "Pulumi.scale.yaml").policy, STEP)


def test_the_scenario_knows_its_parameters() -> None:
    planned = plan_scenario(scale.SCENARIO, STEP.parameters())
    assert planned.parameters["spike_users"] == "60"
    assert planned.duration_s is not None
    assert planned.duration_s >= STEP.warm_s + STEP.hold_s


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each measurement was asked for; nothing is measured."""
    asked: list[dict[str, Any]] = []

    def measure(_: Site, scenario: str, parameters: dict[str, str], **more: Any) -> tuple[Path, None]:
        asked.append({"scenario": scenario, **parameters, **more})
        return Path(f"runs/{len(asked)}"), None

    def figures(folder: Path, to_replicas: int) -> ScaleRun:
        assert to_replicas == 47
        return run_of(float(folder.name))

    def planned(name: str, parameters: dict[str, str]) -> None:
        assert (name, parameters) == (scale.SCENARIO, STEP.parameters())

    monkeypatch.setattr(scale, "plan_scenario", planned)
    monkeypatch.setattr(scale, "measure", measure)
    monkeypatch.setattr(scale, "scale_run", figures)
    return asked


def test_every_run_is_a_run_of_its_own(measured: list[dict[str, Any]]) -> None:
    seen: list[ScaleRun] = []
    figures = bench_scale(
        site(policy()), STEP, count=3, runs=Path("runs"), console=Console(quiet=True), told=seen.append
    )
    assert [run.seconds for run in figures.runs] == [1.0, 2.0, 3.0]
    assert list(figures.runs) == seen
    assert [each["min_peak"] for each in measured] == [47, 47, 47]


def test_the_wait_for_rest_knows_how_slowly_the_policy_scales_in(measured: list[dict[str, Any]]) -> None:
    slow = {"stabilization_window_s": 1800, "policies": [{"type": "Percent", "value": 100, "period_s": 15}]}
    bench_scale(site(policy(scale_down=slow)), STEP, count=1, runs=Path(), console=Console(quiet=True))
    limits = measured[0]["limits"]
    assert isinstance(limits, Limits)
    assert limits.calm_s > 1800


def test_a_run_that_needs_nodes_begins_without_those_of_the_last(
    measured: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[int] = []

    def wait(_: object, fewest: int, **__: object) -> None:
        order.append(fewest)

    monkeypatch.setattr(scale, "wait_for_nodes_to_go", wait)
    grown = policy().model_copy(
        update={
            "node_groups": Policy.model_validate(
                {"node_groups": [{"name": "a", "min_nodes": 1}, {"name": "b"}]}
            ).node_groups
        }
    )
    bench_scale(site(grown), STEP, count=2, runs=Path(), console=Console(quiet=True))
    assert order == [1, 1]
    assert len(measured) == 2


def test_the_limit_holds_for_every_run() -> None:
    assert within(together([run_of(40.0)], 8, 47), 45)
    assert not within(together([run_of(46.0)], 8, 47), 45)
    assert not within(together([*(run_of(1.0) for _ in range(30)), run_of(None)], 8, 47), 45)


def test_the_table_has_each_run_and_the_percentiles() -> None:
    console = Console(width=160, file=io.StringIO(), record=True)
    console.print(scale_view(together([run_of(40.0), run_of(None)], 8, 47)))
    text = console.export_text()
    assert "12.50" in text
    assert "never" in text
    assert "p50 40.0 s" in text


def test_a_stack_that_is_not_deployed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    done = CliRunner().invoke(app, ["scale", "--runs", "1"])
    assert isinstance(done.exception, TidegateError)
