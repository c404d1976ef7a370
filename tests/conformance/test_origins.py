"""Every case names where it comes from, and the counts are those of upstream's own files."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from support import hpa_cases

COUNTS = {
    "pkg/controller/podautoscaler/horizontal_test.go": 186,  # 177 cases, 9 of them with a gate on and off
    "pkg/controller/podautoscaler/replica_calculator_test.go": 102,
    "pkg/controller/podautoscaler/metrics/utilization_test.go": 5,
}
FILES = ("controller.json", "rules.json", "replica_calculator.json", "utilization.json")


def test_cases_and_exclusions_add_up_to_upstream() -> None:
    counted = Counter[str]()
    for name in FILES:
        counted.update(case["origin"]["file"] for case in hpa_cases.load(name)[1])
    for excluded in hpa_cases.load("excluded.json")[1]:
        counted[excluded["origin"]["file"]] += excluded["count"]
    assert dict(counted) == COUNTS


@pytest.mark.parametrize("name", FILES)
def test_origins_are_distinct(name: str) -> None:
    origins = Counter(hpa_cases.case_id(case) for case in hpa_cases.load(name)[1])
    assert [origin for origin, count in origins.items() if count > 1] == []


def test_every_exclusion_has_a_reason() -> None:
    found = json.loads((hpa_cases.DATA / "excluded.json").read_text())
    assert all(len(one["reason"]) > 20 for one in [*found["cases"], *found["aspects"]])
