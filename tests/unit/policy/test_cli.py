from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from support.synthetic_run import build_run
from typer.testing import CliRunner

from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.models import Policy
from tidegate.policy.cli import app
from tidegate.policy.source import read_policy


def call(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    return result.exit_code, result.stdout


def test_show_prints_what_can_be_read_again() -> None:
    status, text = call("show", "local", "-o", "yaml")
    assert status == 0
    assert Policy.model_validate(yaml.safe_load(text)) == read_policy("local", project_root())
    assert Policy.model_validate(json.loads(call("show", "default", "-o", "json")[1])) == Policy()


def test_show_names_every_field() -> None:
    text = call("show", "local")[1]
    for name in ("min_replicas", "cpu_request_m", "scale_up"):
        assert name in text


def test_diff_is_silent_about_what_is_equal_and_says_so_by_its_status() -> None:
    assert call("diff", "local", "local") == (0, "no difference\n")
    status, text = call("diff", "default", "local", "-o", "json")
    assert status == 1
    changed = json.loads(text)
    assert changed["web.hpa.scale_down.stabilization_window_s"] == {"before": 300, "after": 60}
    assert changed["web.hpa.scale_up.policies"]["after"] == [{"type": "Pods", "value": 2, "period_s": 15}]
    assert "web.hpa.min_replicas" not in changed


def test_explain_tells_value_range_and_effect() -> None:
    status, text = call("explain", "web.hpa.cpu_target_percent")
    assert status == 0
    assert "1 to 1000" in text
    assert "hpa.cpuTargetPercent: 60" in text


def test_a_runs_policy_is_the_one_it_was_measured_with(tmp_path: Path) -> None:
    measured = Policy.model_validate({"web": {"hpa": {"max_replicas": 31}}})
    folder = str(build_run(tmp_path, policy=measured))
    assert read_policy(folder, project_root()) == measured
    status, text = call("diff", "default", folder, "-o", "json")
    assert status == 1
    assert json.loads(text) == {"web.hpa.max_replicas": {"before": 12, "after": 31}}


@pytest.mark.parametrize("source", ["nobody", "../local", "", "Pulumi"])
def test_what_is_no_policy_is_refused_with_the_names_there_are(source: str) -> None:
    with pytest.raises(
        TidegateError, match=r"name one of default, chaos, churn, e2e, local, scale, or a Run's folder"
    ):
        read_policy(source, project_root())
