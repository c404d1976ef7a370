"""A scenario's parameters: one frozen model whose fields become flags and help."""

from __future__ import annotations

import math
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, TypeVar, cast, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidegate.errors import TidegateError
from tidegate.load.offered import Phase, Profile, arrival_offsets
from tidegate.load.schedule import Arrivals

Loop = Literal["closed", "open"]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})

ParametersT = TypeVar("ParametersT", bound="LoadParameters")


_LOOP = "closed: users that wait for their answers; open: arrivals that wait for nobody."


def arrivals_by_default() -> Any:
    """Return the field `loop` of a scenario that is about requests a second and not about users."""
    return Field(default="open", description=_LOOP)


class LoadParameters(BaseModel):
    """What every scenario has: the pace of a user, and the bounds no run can pass."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    rps: float = Field(default=1.0, gt=0, le=100, description="Requests per second each user plans.")
    loop: Loop = Field(default="closed", description=_LOOP)
    arrivals: Arrivals = Field(
        default="poisson", description="Gaps between one user's requests, or between arrivals."
    )
    max_in_flight: int = Field(
        default=1000,
        ge=1,
        le=8000,
        description="Arrivals under way at once in an open loop; more are not sent.",
    )
    seed: int = Field(default=1, ge=0, description="Decides every random draw of schedule and task.")
    request_timeout_s: float = Field(
        default=30.0, gt=0, le=120, description="Seconds after which a request is given up."
    )
    max_requests: int = Field(
        default=50_000, ge=1, le=2_000_000, description="Requests after which the load ends."
    )
    max_duration_s: float = Field(
        default=1800.0, gt=0, le=14_400, description="Seconds after which the load ends."
    )
    allow_host: str = Field(
        default="", description="The one host beside this machine that may be loaded; must equal it."
    )

    @property
    def phases(self) -> Sequence[Phase]:
        """The scenario's shape: pieces of offered load, requests a second."""
        return ()

    @cached_property
    def profile(self) -> Profile:
        """The shape as a function of time."""
        return Profile(self.phases)

    @property
    def planned_s(self) -> float:
        """Seconds the scenario's shape lasts, before `max_duration_s` cuts it."""
        return self.profile.seconds

    @property
    def requests_per_arrival(self) -> float:
        """Requests that an arrival of the open loop means to send, one after the other."""
        return 1.0

    def users_at(self, elapsed_s: float) -> int:
        """Return how many users of a closed loop plan the load of `elapsed_s` after the start."""
        rps = self.profile.rps_at(elapsed_s)
        # To the nearest; where there is load there is a user.
        return max(math.floor(rps / self.rps + 0.5), 1 if rps > 0 else 0)

    def arrival_offsets(self) -> Iterator[float]:
        """Yield the planned starts of the open loop, seconds after the load's start, in order."""
        share = 1 / self.requests_per_arrival
        phases = (Phase(phase.seconds, phase.from_rps * share, phase.to_rps * share) for phase in self.phases)
        return arrival_offsets(phases, self.arrivals, f"{self.seed}/arrivals")

    @property
    def duration_s(self) -> float:
        """Seconds after which no request is begun."""
        return min(self.planned_s, self.max_duration_s)

    def require_host(self, host: str | None) -> str:
        """Return `host` if it may be loaded.

        Raises:
            TidegateError: it is missing, not http, or neither this machine nor exactly `allow_host`.
        """
        try:
            address = urlsplit(host or "")
            name, _ = address.hostname, address.port
        except ValueError:
            address, name = urlsplit(""), None
        if not host or address.scheme not in ("http", "https") or not name:
            raise TidegateError(
                f"{host!r} is not the address of a host" if host else "no host was given",
                cure="give one such as --host http://127.0.0.1:8080",
            )
        if name not in LOOPBACK_HOSTS and self.allow_host not in (host, name):
            raise TidegateError(
                "load goes to this machine only",
                where=name,
                cure=f"if {name} is yours, add --allow-host {name}",
            )
        return host


class Description(BaseModel):
    """What a scenario says of itself; made by `describe`."""

    parameters: dict[str, str]
    """Every parameter with its value, defaults included."""
    helps: dict[str, str]
    """Every parameter with its description."""
    duration_s: float | None
    """Seconds the load lasts; None when the file does not say."""
    strange: list[str]
    """Flags that were given and mean nothing to it."""


def flag(name: str) -> str:
    """Return the command line flag of the field `name`."""
    return "--" + name.replace("_", "-")


def add_flags(parser: ArgumentParser, model: type[LoadParameters]) -> None:
    """Add one flag for each field, with its type, default and description."""
    group = parser.add_argument_group("scenario", model.__doc__)
    for name, info in model.model_fields.items():
        settings: dict[str, Any] = {
            "dest": name,
            "default": info.default,
            "help": f"{info.description} Default: {info.default!r}.",
        }
        if get_origin(info.annotation) is not None:
            settings["choices"] = get_args(info.annotation)
        else:
            settings["type"] = info.annotation
        group.add_argument(flag(name), **settings)


def from_options(model: type[ParametersT], options: Namespace) -> ParametersT:
    """Return the parameters that stand in parsed options.

    Raises:
        TidegateError: a value is out of range; it names the flag.
    """
    given = {name: getattr(options, name) for name in model.model_fields if hasattr(options, name)}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = flag(str(first["loc"][0])) if first["loc"] else ""
        given_value = cast("object", first["input"]) if first["loc"] else ""
        raise TidegateError(f"{place} {given_value}: {first['msg']}".strip()) from error
