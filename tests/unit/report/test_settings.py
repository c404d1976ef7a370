from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel
from support.synthetic_run import SLO

from tidegate.models import HpaPolicy, Policy, WebPolicy
from tidegate.report.settings import policy_sections, slo_settings


def leaves(model: BaseModel, path: str = "") -> Iterator[tuple[str, str]]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{path}.{name}" if path else name)
        else:
            yield f"{path}.{name}", field.description or ""


def test_every_value_of_the_policy_is_shown_with_its_reason() -> None:
    shown = [
        (f"{section.path}.{one.name}", one.reason)
        for section in policy_sections(Policy())
        for one in section.settings
    ]
    assert sorted(shown) == sorted(leaves(Policy()))
    assert all(reason for _, reason in shown)


def test_values_carry_their_unit() -> None:
    shown = {
        f"{section.path}.{one.name}": one.value
        for section in policy_sections(Policy())
        for one in section.settings
    }
    assert shown["web.cpu_request_m"] == "100 m"
    assert shown["web.memory_limit_mi"] == "256 Mi"
    assert shown["web.hpa.cpu_target_percent"] == "60 %"
    assert shown["web.hpa.tolerance_up"] == "not set"
    assert shown["web.hpa.scale_up.policies"] == "100 % in 15 s; 4 pods in 15 s"
    assert shown["web.drain.pre_stop_s"] == "5 s"


def test_what_differs_from_the_default_says_so() -> None:
    policy = Policy(web=WebPolicy(hpa=HpaPolicy(cpu_target_percent=75)))
    changed = [
        (one.name, one.value, one.changed_from)
        for section in policy_sections(policy)
        for one in section.settings
        if one.changed_from is not None
    ]
    assert changed == [("cpu_target_percent", "75 %", "60 %")]


def test_objectives() -> None:
    shown = {one.name: one.value for one in slo_settings(SLO)}
    assert shown["availability_percent"] == "99.9 %"
    assert shown["reads p99"] == "1000 ms"
    assert shown["queue_age_max_s"] == "30 s"
