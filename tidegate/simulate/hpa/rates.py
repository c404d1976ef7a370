"""Rate policies: how far replicas may be from where they were when the period began."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidegate.simulate.hpa.arithmetic import (
    MAX_INT32,
    MIN_INT32,
    ceil_to_int32,
    float_to_int32,
    wrap_int32,
)
from tidegate.simulate.hpa.memory import Memory, ScaleEvent
from tidegate.simulate.hpa.spec import NANOS, RatePolicy, Rules

Events = tuple[ScaleEvent, ...]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How far one policy lets replicas go."""

    policy: RatePolicy
    at_start: int
    """Replicas when the policy's period began."""
    limit: int


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How far all policies of one direction together let replicas go."""

    limit: int
    allowances: tuple[Allowance, ...]
    """Empty where the direction is disabled."""


def up_limit(current: int, memory: Memory, rules: Rules, now_ns: int) -> RateLimit:
    """Return the most replicas that the policies allow (horizontal.go:1383-1409)."""
    if rules.select == "Disabled":
        return RateLimit(current, ())
    allowances = [
        Allowance(policy, start, _grown(start, policy))
        for policy in rules.policies
        for start in (_at_start(current, memory, policy, now_ns),)
    ]
    limits = [allowance.limit for allowance in allowances]
    limit = min(limits, default=MAX_INT32) if rules.select == "Min" else max(limits, default=MIN_INT32)
    return RateLimit(limit, tuple(allowances))


def down_limit(current: int, memory: Memory, rules: Rules, now_ns: int) -> RateLimit:
    """Return the fewest replicas that the policies allow (horizontal.go:1412-1437)."""
    if rules.select == "Disabled":
        return RateLimit(current, ())
    allowances = [
        Allowance(policy, start, _shrunk(start, policy))
        for policy in rules.policies
        for start in (_at_start(current, memory, policy, now_ns),)
    ]
    limits = [allowance.limit for allowance in allowances]
    limit = max(limits, default=MIN_INT32) if rules.select == "Min" else min(limits, default=MAX_INT32)
    return RateLimit(limit, tuple(allowances))


def changed_within(events: Iterable[ScaleEvent], period_s: int, now_ns: int) -> int:
    """Return the replicas changed in the last `period_s`; exactly as old is out (horizontal.go:1130)."""
    cutoff_ns = now_ns - period_s * NANOS
    return wrap_int32(sum(event.change for event in events if event.t_ns > cutoff_ns))


def remember_change(memory: Memory, before: int, after: int, up: Rules, down: Rules, now_ns: int) -> Memory:
    """Return `memory` with the change among its events (horizontal.go:1155-1200).

    Not called without `behavior`, which needs no events.
    """
    if after > before:
        events = _stored(memory.up_events, after - before, up, now_ns)
        return Memory(memory.recommendations, events, memory.down_events, memory.conditions)
    events = _stored(memory.down_events, before - after, down, now_ns)
    return Memory(memory.recommendations, memory.up_events, events, memory.conditions)


def _stored(events: Events, change: int, rules: Rules, now_ns: int) -> Events:
    longest_s = max((policy.period_s for policy in rules.policies), default=0)
    cutoff_ns = now_ns - max(longest_s, 0) * NANOS
    marked = tuple(
        ScaleEvent(event.change, event.t_ns, event.outdated or event.t_ns < cutoff_ns) for event in events
    )
    old = max((index for index, event in enumerate(marked) if event.outdated), default=None)
    new = ScaleEvent(change, now_ns)
    if old is None:
        return (*marked, new)
    return (*marked[:old], new, *marked[old + 1 :])


def _at_start(current: int, memory: Memory, policy: RatePolicy, now_ns: int) -> int:
    added = changed_within(memory.up_events, policy.period_s, now_ns)
    removed = changed_within(memory.down_events, policy.period_s, now_ns)
    return wrap_int32(current - added + removed)


def _grown(start: int, policy: RatePolicy) -> int:
    if policy.type == "Pods":
        return wrap_int32(start + policy.value)
    # Rounded up, or a small number of replicas could never grow.
    return ceil_to_int32(float(start) * (1 + float(policy.value) / 100))


def _shrunk(start: int, policy: RatePolicy) -> int:
    if policy.type == "Pods":
        return wrap_int32(start - policy.value)
    return float_to_int32(float(start) * (1 - float(policy.value) / 100))
