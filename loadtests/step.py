"""Step: load that grows in equal steps, each held long enough for the service to come to rest.

Shows latency and replicas as a function of load, and at which step the objectives end.

    locust -f loadtests/step.py --host http://127.0.0.1:8080 --headless --steps 5 --step-users 8
"""

from __future__ import annotations

from _shopper import Shopper
from pydantic import Field

from tidegate.load.offered import Phase, held
from tidegate.load.parameters import LoadParameters
from tidegate.load.scenario import declare
from tidegate.load.shape import PlannedShape

__all__ = ["Shopper", "Step"]


class StepParameters(LoadParameters):
    """Load that grows in equal steps."""

    first_users: int = Field(default=4, ge=1, le=5000, description="Users of the first step.")
    step_users: int = Field(default=8, ge=1, le=5000, description="Users added by each further step.")
    steps: int = Field(default=5, ge=1, le=100, description="Number of steps.")
    step_s: float = Field(default=90.0, gt=0, le=3600, description="Seconds each step is held.")

    @property
    def phases(self) -> list[Phase]:
        """One level a step."""
        levels = (self.first_users + number * self.step_users for number in range(self.steps))
        return [held(self.step_s, users * self.rps) for users in levels]


scenario = declare(StepParameters)


class Step(PlannedShape):
    """The steps as Locust asks for them."""

    scenario = scenario
