from __future__ import annotations

import pytest

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.policy.effect import chart_values_of
from tidegate.policy.fields import field, fields

POLICY = Policy.model_validate({"web": {"cpu_limit_m": None, "hpa": {"max_replicas": 40}}})


def test_every_number_says_its_unit_and_range_and_every_field_its_reason() -> None:
    for each in fields(POLICY):
        assert each.reason.endswith("."), each.path
        # A switch is no number, though Python counts it as one.
        if isinstance(each.value, int) and not isinstance(each.value, bool):
            assert each.unit, each.path
            assert each.least is not None, each.path
            assert each.most is not None, each.path
            assert each.least <= each.value <= each.most


def test_what_was_chosen_is_told_from_what_was_not() -> None:
    chosen = {each.path: (each.text, each.default_text) for each in fields(POLICY) if not each.is_default}
    assert chosen == {"web.cpu_limit_m": ("not set", "500 m"), "web.hpa.max_replicas": ("40", "12")}


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("web.hpa.max_replica", "web.hpa.max_replicas"),
        ("hpa.cpu_target", "web.hpa.cpu_target_percent"),
        ("cpu_target_percent", "web.hpa.cpu_target_percent"),
        ("zzz", "policy show"),
    ],
)
def test_a_wrong_path_names_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(TidegateError, match=right):
        field(POLICY, wrong)


def test_the_effect_of_every_field_is_found() -> None:
    for each in fields(POLICY):
        assert chart_values_of(POLICY, each), each.path


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("web.hpa.max_replicas", {"hpa.maxReplicas": 40}),
        ("web.cpu_limit_m", {"web.resources.limits.cpu": None}),
        (
            "web.hpa.scale_down.stabilization_window_s",
            {"hpa.behavior.scaleDown.stabilizationWindowSeconds": 300},
        ),
        ("web.drain.graceful_timeout_s", {"web.gracefulTimeoutSeconds": 20}),
        ("worker.replicas", {"worker.replicas": 1}),
    ],
)
def test_the_effect_is_what_the_chart_gets(path: str, values: dict[str, object]) -> None:
    assert chart_values_of(POLICY, field(POLICY, path)) == values
