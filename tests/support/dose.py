"""How much of the acceptance tests is run: a little in every run, all of it by `make acceptance`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DoseName = Literal["small", "full"]


@dataclass(frozen=True)
class Dose:
    """What the tests of the service's promises are given: counts, and seconds of load; no limits of time."""

    contract_examples: int
    """Most examples Schemathesis makes for one operation in one phase."""
    limit_storm_s: float
    """Writes above the limit, before and again after Redis has gone."""
    limit_writes: int
    """The limit; a storm must be longer than this many writes."""
    ledger_orders: int
    ledger_kills: int
    """Workers killed at least."""
    restart_requests: int
    restart_processes: int
    redis_away_s: float
    redis_away_per_s: float
    hostile_requests: int
    hostile_connections: int
    """Callers that begin a request and do not end it, at once."""


DOSES: dict[DoseName, Dose] = {
    "small": Dose(
        contract_examples=10,
        limit_storm_s=1,
        limit_writes=60,
        ledger_orders=200,
        ledger_kills=3,
        restart_requests=1_500,
        restart_processes=2,
        redis_away_s=3,
        redis_away_per_s=60,
        hostile_requests=400,
        hostile_connections=100,
    ),
    "full": Dose(
        contract_examples=100,
        limit_storm_s=20,
        limit_writes=600,
        ledger_orders=10_000,
        ledger_kills=40,
        restart_requests=100_000,
        restart_processes=4,
        redis_away_s=60,
        redis_away_per_s=100,
        hostile_requests=20_000,
        hostile_connections=2_000,
    ),
}
