from __future__ import annotations

import pytest

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.simulate.world.policy import spec_of_policy


def test_what_is_not_simulated_is_refused_and_not_taken_for_cpu() -> None:
    policy = Policy.model_validate({"web": {"hpa": {"metric": "rps"}}})
    with pytest.raises(TidegateError, match="scaling by rps is not simulated"):
        spec_of_policy(policy)
