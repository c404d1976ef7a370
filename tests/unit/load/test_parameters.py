from __future__ import annotations

from argparse import ArgumentParser

import pytest
from pydantic import Field

from tidegate.errors import TidegateError
from tidegate.load.offered import Phase
from tidegate.load.parameters import LoadParameters, add_flags, from_options


class Ramp(LoadParameters):
    """A ramp, for these tests."""

    ramp_s: float = Field(default=60.0, gt=0, description="Seconds of the ramp.")

    @property
    def planned_s(self) -> float:
        return self.ramp_s


def parsed(*flags: str) -> Ramp:
    parser = ArgumentParser(exit_on_error=False)
    add_flags(parser, Ramp)
    return from_options(Ramp, parser.parse_args(flags))


def test_fields_become_flags_with_their_types_and_defaults() -> None:
    assert parsed() == Ramp()
    given = parsed("--ramp-s", "5", "--rps=2.5", "--max-requests", "10", "--arrivals", "constant")
    assert (given.ramp_s, given.rps, given.max_requests, given.arrivals) == (5.0, 2.5, 10, "constant")


def test_the_help_tells_meaning_and_default() -> None:
    parser = ArgumentParser()
    add_flags(parser, Ramp)
    text = " ".join(parser.format_help().split())
    assert "--ramp-s RAMP_S Seconds of the ramp. Default: 60.0." in text
    assert "--arrivals {poisson,constant}" in text


def test_a_value_out_of_range_is_named_by_its_flag() -> None:
    with pytest.raises(TidegateError, match=r"^--max-requests 0: .*greater than or equal to 1"):
        parsed("--max-requests", "0")


class Slope(LoadParameters):
    """A slope, for these tests."""

    @property
    def phases(self) -> list[Phase]:
        return [Phase(10, 0, 20)]


def test_both_loops_follow_from_the_phases() -> None:
    slope = Slope(rps=2.0, arrivals="constant")
    assert slope.planned_s == 10
    # Nobody where there is no load, then at least one, then as many as plan the rate of the moment.
    assert [slope.users_at(at_s) for at_s in (0, 0.01, 3, 5, 10)] == [0, 1, 3, 5, 10]
    assert sum(1 for _ in slope.arrival_offsets()) == 100


def test_arrivals_of_several_requests_are_fewer() -> None:
    class Journeys(Slope):
        @property
        def requests_per_arrival(self) -> float:
            return 4.0

    assert sum(1 for _ in Journeys(arrivals="constant").arrival_offsets()) == 25


def test_the_hard_bound_on_time_cuts_the_plan() -> None:
    assert parsed("--ramp-s", "100").duration_s == 100
    assert parsed("--ramp-s", "100", "--max-duration-s", "7").duration_s == 7


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:8080", "http://localhost", "https://LOCALHOST:1/", "http://[::1]:8080"]
)
def test_this_machine_may_be_loaded(host: str) -> None:
    assert Ramp().require_host(host) == host


@pytest.mark.parametrize(
    "host",
    [
        "http://example.test",
        "http://127.0.0.1.example.test",
        "http://127.0.0.1@example.test",
        "http://localhost:80@example.test:8080",
        "http://127.0.0.2:8080",
        "http://0.0.0.0:8080",
    ],
)
def test_another_machine_may_not(host: str) -> None:
    with pytest.raises(TidegateError, match="load goes to this machine only"):
        Ramp().require_host(host)


def test_another_machine_may_when_it_is_named_exactly() -> None:
    named = Ramp(allow_host="shop.example.test")
    assert named.require_host("http://shop.example.test:80") == "http://shop.example.test:80"
    for other in (
        "http://example.test",
        "http://www.shop.example.test",
        "http://shop.example.test.evil.test",
    ):
        with pytest.raises(TidegateError, match="this machine only"):
            named.require_host(other)


@pytest.mark.parametrize(
    "host", [None, "", "127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://[::1", "http://h:x"]
)
def test_what_is_no_address_is_refused(host: str | None) -> None:
    with pytest.raises(TidegateError, match=r"not the address of a host|no host was given"):
        Ramp().require_host(host)
