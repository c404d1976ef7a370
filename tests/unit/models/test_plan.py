from __future__ import annotations

import pytest
from pydantic import ValidationError

from tidegate.models import ClusterConfig, Plan, Policy, Slo, run_name

PLAN = Plan(
    run_id="20260101T000000Z-spike",
    created_s=1_767_225_600.0,
    scenario="spike",
    policy=Policy(),
    slo=Slo(availability_percent=99.9),
    cluster=ClusterConfig(),
)


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        ("spike", "20260101T000000Z-spike"),
        ("slow ramp/2", "20260101T000000Z-slow-ramp-2"),
        ("../..", "20260101T000000Z-run"),
    ],
)
def test_run_name_is_a_safe_folder_name_in_utc(scenario: str, name: str) -> None:
    assert run_name(1_767_225_600.9, scenario) == name
    assert PLAN.model_copy(update={"run_id": name}) == Plan.model_validate(dict(PLAN) | {"run_id": name})


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".hidden"])
def test_a_run_id_stays_within_its_folder(run_id: str) -> None:
    with pytest.raises(ValidationError, match="run_id"):
        Plan.model_validate(dict(PLAN) | {"run_id": run_id})


def test_the_load_window_is_filled_in_and_runs_forward() -> None:
    plan = PLAN.with_load_window(10.0, 20.0)
    assert (PLAN.load_window_s, plan.load_window_s) == (None, (10.0, 20.0))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    with pytest.raises(ValidationError, match="not after"):
        PLAN.with_load_window(20.0, 20.0)


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "Tide_gate"), ("name", "-x"), ("workers", 0), ("gateway_port", 0), ("api_port", 65_536)],
)
def test_a_cluster_that_kind_could_not_make_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        ClusterConfig.model_validate({field: value})


def test_ports_of_a_cluster_differ() -> None:
    with pytest.raises(ValidationError, match="both 8080"):
        ClusterConfig(api_port=8080)
