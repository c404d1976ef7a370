"""What the service promises. The verdict, the burn-rate alerts and the tuner's constraint all read this."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from tidegate.models.base import Count, MilliSeconds, Model, Percent, SecondsFloat

OTHER_GROUP = "other"
"""The group of every route that no objective names."""

RouteTemplate = Annotated[str, StringConstraints(pattern=r"^(GET|HEAD|POST|PUT|PATCH|DELETE) /[^\s?#]*$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class LatencyObjective(Model):
    """One percentile of one group of routes, from the intended start of a request to its end.

    Counting from the intended start keeps the wait in a late generator or behind a slow answer inside the
    figure (coordinated omission). The percentile is nearest-rank, over all requests, failed ones too.
    """

    route_group: GroupName = Field(description="Name of the group, lower case. Two objectives may share one.")
    routes: tuple[RouteTemplate, ...] = Field(
        min_length=1,
        description='Route templates with their method, for example "GET /api/v1/products/{id}".',
    )
    percentile: Percent = Field(ge=1, le=99.999, description="Which percentile, percent. 1 to 99.999.")
    threshold_ms: MilliSeconds = Field(
        gt=0,
        le=600_000,
        description="Most milliseconds at that percentile. Above 0, to 600000 (ten minutes).",
    )


class Slo(Model):
    """The service level objectives of one stack."""

    availability_percent: Percent = Field(
        gt=0,
        lt=100,
        description="Least share of requests answered well, percent. Above 0, below 100: 100 leaves "
        "no error budget, and one lost packet would break it.",
    )
    latency: tuple[LatencyObjective, ...] = Field(default=(), description="The latency objectives.")
    queue_age_max_s: SecondsFloat | None = Field(
        default=None,
        gt=0,
        le=86_400,
        description="Most seconds the oldest queued order may wait. Above 0, to 86400; unset is not judged.",
    )
    min_requests: Count = Field(
        default=500,
        ge=1,
        le=1_000_000_000,
        description="Fewest requests a verdict can rest on. 1 to 1e9; below, the "
        "answer is that one could not tell.",
    )

    @model_validator(mode="after")
    def _groups_apart(self) -> Self:
        """Each route belongs to one group, so that every request is counted in exactly one."""
        routes_of: dict[str, frozenset[str]] = {}
        group_of: dict[str, str] = {}
        percentiles: set[tuple[str, float]] = set()
        for objective in self.latency:
            group, routes = objective.route_group, frozenset(objective.routes)
            if group == OTHER_GROUP:
                raise ValueError(f"route_group {OTHER_GROUP!r} is kept for routes that no objective names")
            if routes_of.setdefault(group, routes) != routes:
                raise ValueError(f"route_group {group!r} is given two different lists of routes")
            for route in routes:
                if group_of.setdefault(route, group) != group:
                    raise ValueError(f"route {route!r} is in two groups, {group_of[route]!r} and {group!r}")
            if (group, objective.percentile) in percentiles:
                raise ValueError(
                    f"route_group {group!r} has two objectives for percentile {objective.percentile:g}"
                )
            percentiles.add((group, objective.percentile))
        return self

    def route_groups(self) -> dict[str, str]:
        """Return the group of each named route. A route that is absent belongs to `OTHER_GROUP`."""
        return {route: objective.route_group for objective in self.latency for route in objective.routes}
