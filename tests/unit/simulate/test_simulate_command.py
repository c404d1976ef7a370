from __future__ import annotations

from pathlib import Path

import pytest
import typer
from support.synthetic_run import SLO
from typer.testing import CliRunner

from tidegate.errors import TidegateError
from tidegate.run import RunReader
from tidegate.simulate.cli import simulate_command

app = typer.Typer()
app.command()(simulate_command)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "trace.csv").write_text("t,count\n0,300\n60,600\n")
    (tmp_path / "slo.json").write_text(SLO.model_dump_json())
    (tmp_path / "eager.yaml").write_text("web: {hpa: {cpu_target_percent: 20}}\n")
    (tmp_path / "calm.yaml").write_text("web: {hpa: {cpu_target_percent: 90}}\n")
    return tmp_path


def words(files: Path, *more: str) -> list[str]:
    named = {"--policy": "eager.yaml", "--slo": "slo.json", "--trace": "trace.csv", "--runs": "runs"}
    return [*(word for key, name in named.items() for word in (key, str(files / name))), *more]


def test_two_policies_stand_side_by_side(files: Path) -> None:
    result = CliRunner().invoke(
        app, words(files, "--compare", str(files / "calm.yaml")), catch_exceptions=False
    )
    rows = {line[:22].strip(): line[22:].split() for line in result.stdout.splitlines() if line.strip()}
    assert rows["requests"] == ["900", "900"]
    eager, calm = (float(word) for word in rows["replica-hours"])
    assert eager > calm
    folders = [
        Path(line.removeprefix("Run: ")) for line in result.stdout.splitlines() if line.startswith("Run: ")
    ]
    assert [RunReader(folder).plan.policy.web.hpa.cpu_target_percent for folder in folders] == [20, 90]


def test_a_misspelt_key_is_told_with_its_neighbour(files: Path) -> None:
    (files / "eager.yaml").write_text("web: {hpa: {cpu_target: 20}}\n")
    with pytest.raises(TidegateError, match=r"policy\.web\.hpa\.cpu_target.*cpu_target_percent"):
        CliRunner().invoke(app, words(files), catch_exceptions=False)


def test_a_file_that_is_none(files: Path) -> None:
    (files / "eager.yaml").write_text("- 1\n")
    with pytest.raises(TidegateError, match="holds no keys"):
        CliRunner().invoke(app, words(files), catch_exceptions=False)


def test_a_stack_s_file_gives_policy_and_objectives() -> None:
    from tidegate.simulate.inputs import policy_from, slo_from

    stack = Path(__file__).parents[3] / "Pulumi.local.yaml"
    assert policy_from(stack).web.hpa.cpu_target_percent == 60
    assert slo_from(stack).min_requests == 500
