from __future__ import annotations

from tidegate.load.clock import AnchoredClock


class Machine:
    """A machine whose clocks the test moves."""

    def __init__(self) -> None:
        self.wall_s = 1_767_225_600.0
        self.monotonic_s = 50.0

    def passes(self, seconds: float, *, step_s: float = 0.0) -> None:
        self.monotonic_s += seconds
        self.wall_s += seconds + step_s


def test_a_step_of_the_wall_clock_bends_no_latency_and_is_told() -> None:
    machine = Machine()
    clock = AnchoredClock(lambda: machine.wall_s, lambda: machine.monotonic_s)
    began_s = clock.now_s()
    machine.passes(2.0, step_s=-3600.0)
    assert clock.now_s() - began_s == 2.0
    assert clock.drift_s() == -3600.0


def test_readings_of_the_monotonic_clock_become_unix_times() -> None:
    machine = Machine()
    clock = AnchoredClock(lambda: machine.wall_s, lambda: machine.monotonic_s)
    assert clock.unix_s(50.0) == 1_767_225_600.0
    assert clock.unix_s(51.5) == 1_767_225_601.5


def test_an_interruption_while_anchoring_counts_half() -> None:
    readings = iter([10.0, 14.0])
    clock = AnchoredClock(lambda: 1000.0, lambda: next(readings))
    assert clock.unix_s(12.0) == 1000.0
