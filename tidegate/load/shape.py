"""The shape of every scenario as Locust asks for it: how many users there are now."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

from locust import LoadTestShape

from tidegate.load.scenario import Scenario


class PlannedShape(LoadTestShape):
    """Follows a scenario's phases. Subclass it in the Locust file and name the scenario."""

    abstract = True
    scenario: Scenario[Any]

    def tick(self) -> tuple[int, float] | None:
        """Return users and users per second, None when the load is over."""
        elapsed_s = self.get_run_time()
        if self.scenario.exhausted(elapsed_s):
            return None
        users = self.scenario.users_at(elapsed_s)
        return users, max(users, self.get_current_user_count(), 1)
