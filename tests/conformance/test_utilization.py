"""metrics/utilization_test.go: the ratio of what pods use to what they should."""

from __future__ import annotations

import pytest
from support import hpa_cases
from support.hpa_cases import Case

from tidegate.simulate.hpa.census import take_census
from tidegate.simulate.hpa.groups import Groups
from tidegate.simulate.hpa.pod_metrics import average_proposal, utilization_proposal
from tidegate.simulate.hpa.samples import InvalidMetricError, Sample
from tidegate.simulate.hpa.tolerance import Tolerance

FILE = "utilization.json"
NONE = Tolerance(0, 0)


def _groups(case: Case) -> Groups:
    return Groups(tuple(case["samples"]), (), (), ())


def _samples(case: Case) -> dict[str, Sample]:
    return {pod: Sample(value) for pod, value in case["samples"].items()}


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "utilization"))
def test_utilization(case: Case) -> None:
    census = take_census(_groups(case), _samples(case), case["requests"])
    expected = case["expected"]
    if "error" in expected:
        with pytest.raises(InvalidMetricError, match=expected["error"]):
            utilization_proposal(2, case["target_percent"], census, NONE)
        return
    proposal = utilization_proposal(2, case["target_percent"], census, NONE)
    assert (proposal.ratio, proposal.value) == (expected["ratio"], expected["value"])
    matched = sum(pod in case["requests"] for pod in case["samples"])
    assert census.total // matched == expected["mean_milli"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "average"))
def test_average(case: Case) -> None:
    census = take_census(_groups(case), _samples(case), None)
    proposal = average_proposal(2, case["target_milli"], census, NONE)
    assert {"ratio": proposal.ratio, "value": proposal.value} == case["expected"]
