"""Proof one: the fault was there. Only what was measured counts; the injector is quoted, never believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

import polars as pl

from tidegate.models.hypothesis import Evidence, Sign
from tidegate.models.trial import Finding, Proof, SignSeen
from tidegate.run import RunReader
from tidegate.run.objects import condition, dig, integer, items, text
from tidegate.verdict.experiments.facts import Fault, Record, Span, faults

_SETTLE_S = 5.0
"""Seconds after lifting in which a sign may still be seen: probes come every few seconds."""
_HALF = 0.5
Samples = dict[str, list[tuple[float, float]]]
"""By pod: moments and values."""


def landed_signs(run: RunReader, name: str) -> list[SignSeen]:
    """Return the signs that the last experiment called `name` was expected to show."""
    found = [fault for fault in faults(run.faults()) if fault.name == name]
    return signs(Record(run), found[-1]) if found else []


def signs(record: Record, fault: Fault) -> list[SignSeen]:
    """Return every sign that the hypothesis expects, seen or not."""
    return [_SEEN[wanted.sign](record, fault, wanted) for wanted in fault.claim.evidence]


def landed(fault: Fault, seen: list[SignSeen]) -> Proof:
    """Judge whether the fault was there. It can be proven or not; that it held is no question here."""
    missing = [sign for sign in seen if sign.seen_s is None]
    if not missing and fault.lifted_s is not None:
        return Proof(name="landed", finding=Finding.HELD, reasons=tuple(sign.detail for sign in seen))
    reasons = [sign.detail for sign in missing]
    if fault.errors:
        reasons.insert(0, f"Cannot land here: {fault.errors[-1]}")
    elif missing and fault.claim.needs:
        reasons.insert(0, f"Cannot land here without {' and '.join(fault.claim.needs)}.")
    if fault.lifted_s is None:
        reasons.append("That it was lifted was never recorded.")
    return Proof(name="landed", finding=Finding.INCONCLUSIVE, reasons=tuple(reasons))


def _span(fault: Fault, end_s: float) -> Span:
    begin_s, finish_s = fault.during(end_s)
    return begin_s, finish_s + _SETTLE_S


def _samples(record: Record, fault: Fault, name: str, to: str | None, span: Span) -> Samples:
    rows = record.probes.filter(
        (pl.col("name") == name) & pl.col("t_s").is_between(*span) & pl.col("pod").is_in(fault.chosen)
    )
    if to is not None:
        rows = rows.filter(pl.col("to") == to)
    found: Samples = {}
    for pod, t_s, value in rows.select("pod", "t_s", "value").iter_rows():
        found.setdefault(pod, []).append((t_s, value))
    return found


def _compared(record: Record, fault: Fault, name: str, to: str | None) -> tuple[Samples, Samples]:
    during = (fault.asked_s, fault.lifted_s if fault.lifted_s is not None else record.end_s())
    return _samples(record, fault, name, to, fault.before()), _samples(record, fault, name, to, during)


def _told(wanted: Evidence, seen_s: float | None, measured: float | None, said: str) -> SignSeen:
    return SignSeen(sign=wanted.sign, seen_s=seen_s, measured=measured, at_least=wanted.at_least, detail=said)


Amount = Callable[[list[tuple[float, float]], list[tuple[float, float]]], float | None]


def _grown(name: str, what: str, unit: str, amount: Amount) -> Callable[[Record, Fault, Evidence], SignSeen]:
    """Return a sign that is the largest amount among the pods, compared with the same pod before."""

    def seen(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
        before, during = _compared(record, fault, name, wanted.to)
        amounts: list[tuple[float, str, float]] = []
        for pod, values in during.items():
            grown = amount(before.get(pod, []), values)
            if grown is not None:
                amounts.append((grown, pod, values[0][0]))
        least = wanted.at_least or 0.0
        if not amounts:
            return _told(wanted, None, None, f"{what}: no pod was measured both before and during.")
        most, pod, first_s = max(amounts)
        to = f" to {wanted.to}" if wanted.to else ""
        said = f"{what}{to}: {most:.3g} {unit} in {pod}, at least {least:g} expected."
        return _told(wanted, first_s if most >= least else None, most, said)

    return seen


def _values(samples: list[tuple[float, float]]) -> list[float]:
    return [value for _, value in samples]


def _rate(samples: list[tuple[float, float]]) -> float | None:
    if len(samples) <= 1:
        return None
    (from_s, first), (to_s, last) = samples[0], samples[-1]
    return (last - first) / (to_s - from_s) if to_s > from_s else None


def _faster(before: list[tuple[float, float]], during: list[tuple[float, float]]) -> float | None:
    usual, now = _rate(before), _rate(during)
    return None if now is None or usual is None else now - usual


def _memory(before: list[tuple[float, float]], during: list[tuple[float, float]]) -> float | None:
    return (max(_values(during)) - median(_values(before))) / 2**20 if before else None


def _median(before: list[tuple[float, float]], during: list[tuple[float, float]]) -> float | None:
    return median(_values(during)) - median(_values(before)) if before else None


def _off(before: list[tuple[float, float]], during: list[tuple[float, float]]) -> float | None:
    return abs(median(_values(during)) - median(_values(before))) if before else None


def _refused(before: list[tuple[float, float]], during: list[tuple[float, float]]) -> float | None:
    if not before:
        return None
    lost = [1 - sum(_values(each)) / len(each) for each in (before, during)]
    return lost[1] - lost[0]


def _cut_off(name: str, what: str) -> Callable[[Record, Fault, Evidence], SignSeen]:
    """Return a sign that most tries of some chosen pod failed, at least twice, where before they did not."""

    def seen(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
        before, during = _compared(record, fault, name, wanted.to)
        for pod, tries in during.items():
            good = _values(before.get(pod, []))
            failed = [t_s for t_s, ok in tries if not ok]
            if good and sum(good) > len(good) * _HALF and len(failed) >= max(2, len(tries) * _HALF):
                now, usual = f"{len(failed)} of {len(tries)}", f"{good.count(0.0)} of {len(good)}"
                said = f"{pod} {what} {wanted.to}: {now} tries, before {usual}."
                return _told(wanted, failed[0], len(failed) / len(tries), said)
        return _told(wanted, None, None, f"No chosen pod was seen that {what} {wanted.to}.")

    return seen


def _pods(record: Record, fault: Fault) -> Mapping[str, list[tuple[float, dict[str, Any]]]]:
    """Return the records of each chosen pod, by uid, in the order of receipt."""
    found: dict[str, list[tuple[float, dict[str, Any]]]] = {}
    for each in record.cluster:
        if each.kind == "Pod" and text(each.object, "metadata", "name") in fault.chosen:
            found.setdefault(text(each.object, "metadata", "uid"), []).append((each.received_s, each.object))
    return found


def _replaced(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    begin_s, end_s = _span(fault, record.end_s())
    # Pods that the autoscaler took away are no sign of a fault.
    shrunk = [change.t_s for change in record.rescales if change.to_replicas < change.from_replicas]
    for life in record.web:
        if (
            life.name not in fault.chosen
            or life.deleting_s is None
            or not begin_s - 1 <= life.deleting_s <= end_s
        ):
            continue
        if any(0 <= life.deleting_s - t_s < 15 for t_s in shrunk):
            continue
        heir = next(
            (other for other in record.web if other.created_s >= life.deleting_s - 1 and other is not life),
            None,
        )
        if heir is not None:
            said = (
                f"{life.name} was deleted, {heir.name} born {heir.created_s - life.deleting_s:.1f} s later."
            )
            return _told(wanted, life.deleting_s, None, said)
    return _told(wanted, None, None, "No chosen pod was seen to be deleted and replaced.")


def _restarted(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    begin_s, end_s = _span(fault, record.end_s())
    for states in _pods(record, fault).values():
        usual = max((_restarts(pod) for t_s, pod in states if t_s < begin_s), default=None)
        for t_s, pod in states:
            if usual is not None and begin_s <= t_s <= end_s and _restarts(pod) > usual:
                code = next(
                    (
                        integer(status, "lastState", "terminated", "exitCode")
                        for status in items(pod, "status", "containerStatuses")
                    ),
                    None,
                )
                name = text(pod, "metadata", "name")
                said = f"{name} restarted {_restarts(pod) - usual} times more, exit code {code}."
                return _told(wanted, t_s, float(_restarts(pod) - usual), said)
    return _told(wanted, None, None, "No chosen pod's restart count rose.")


def _restarts(pod: dict[str, Any]) -> int:
    return sum(integer(status, "restartCount") or 0 for status in items(pod, "status", "containerStatuses"))


def _swapped(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    begin_s, end_s = _span(fault, record.end_s())
    for states in _pods(record, fault).values():
        usual = {image for t_s, pod in states if t_s < begin_s for image in _images(pod)}
        for t_s, pod in states:
            other = [image for image in _images(pod) if image not in usual]
            ready = condition(pod, "Ready")
            if (
                usual
                and other
                and begin_s <= t_s <= end_s
                and (ready is None or ready.get("status") != "True")
            ):
                said = f"{text(pod, 'metadata', 'name')} ran {other[0]} and was not Ready."
                return _told(wanted, t_s, None, said)
    return _told(wanted, None, None, "No chosen pod was seen to run another image.")


def _images(pod: dict[str, Any]) -> list[str]:
    return [text(each, "image") for each in items(pod, "spec", "containers")]


def _node(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    # The control plane notices a silent node after 40 s and more, so that also the time after counts.
    begin_s, end_s = fault.asked_s, _span(fault, record.end_s())[1]
    for each in record.cluster:
        if each.kind == "Node" and begin_s <= each.received_s <= end_s:
            ready = condition(each.object, "Ready")
            if ready is not None and ready.get("status") != "True":
                name = text(each.object, "metadata", "name")
                said = f"Node {name} was not Ready {each.received_s - begin_s:.0f} s after."
                return _told(wanted, each.received_s, None, said)
    return _told(wanted, None, None, "No node was seen to be not Ready.")


def _cordoned(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    open_before: set[str] = set()
    for each in record.cluster:
        if each.kind != "Node":
            continue
        name, closed = (
            text(each.object, "metadata", "name"),
            dig(each.object, "spec", "unschedulable") is True,
        )
        if each.received_s < fault.asked_s:
            (open_before.discard if closed else open_before.add)(name)
        elif closed and name in open_before and each.received_s <= _span(fault, record.end_s())[1]:
            return _told(wanted, each.received_s, None, f"Node {name} took no new pods from then on.")
    return _told(wanted, None, None, "No node was seen to be cordoned.")


def _database(record: Record, fault: Fault, wanted: Evidence) -> SignSeen:
    uids: list[str] = []
    for each in record.cluster:
        name = text(each.object, "metadata", "labels", "app.kubernetes.io/name")
        if each.kind != "DataPod" or name != wanted.to:
            continue
        uid = text(each.object, "metadata", "uid")
        if uids and uid not in uids and each.received_s >= fault.asked_s:
            return _told(
                wanted, each.received_s, None, f"The pod of {wanted.to} was replaced by another one."
            )
        uids.append(uid)
    return _told(wanted, None, None, f"The pod of {wanted.to} was not seen to be replaced.")


_SEEN: Mapping[Sign, Callable[[Record, Fault, Evidence], SignSeen]] = {
    Sign.POD_REPLACED: _replaced,
    Sign.CONTAINER_RESTARTED: _restarted,
    Sign.IMAGE_SWAPPED: _swapped,
    Sign.CPU_THROTTLED: _grown("probe_throttled_s", "Time without CPU", "of the time more", _faster),
    Sign.CPU_TAKEN: _grown(
        "probe_others_cpu_s", "CPU of others in the service's cgroup", "cores more", _faster
    ),
    Sign.MEMORY_GREW: _grown("probe_memory_bytes", "Memory of the cgroup", "MiB more", _memory),
    Sign.UNREACHABLE: _cut_off("probe_connect_ok", "could not connect to"),
    Sign.UNRESOLVED: _cut_off("probe_resolve_ok", "could not resolve"),
    Sign.CLOCK_SHIFTED: _grown("probe_clock_s", "The service's clock", "s off", _off),
    Sign.CONNECT_SLOWER: _grown("probe_connect_ms", "Median connection", "ms more", _median),
    Sign.CONNECT_LOST: _grown("probe_connect_ok", "Connections lost", "of all more", _refused),
    Sign.WRITE_SLOWER: _grown("probe_write_ms", "Median write", "ms more", _median),
    Sign.ANSWERS_ABORTED: _grown("probe_answered", "Answers cut off", "of all more", _refused),
    Sign.NODE_CORDONED: _cordoned,
    Sign.NODE_NOT_READY: _node,
    Sign.DATABASE_REPLACED: _database,
}
