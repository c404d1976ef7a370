"""How pods left while the fault was there: how many at once, how early, and which were kept from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import polars as pl

from tidegate.run.format import WEB_COMPONENT
from tidegate.run.objects import integer, items, moment_s, text
from tidegate.verdict.experiments.facts import Fault, Record, Span, ready_at

WITHDRAWN_S = 10.0
"""Most seconds from a pod's deletion until no gateway sends it a request any more: two or three as a rule."""
_SCALED_S = 5.0
"""Most seconds by which the autoscaler's status is late: it sets the size first and tells of it after."""
_WHOLE_SECOND_S = 1.0
_MOST_ROUTES = 3
_HALF = 0.5


def leaving(record: Record, fault: Fault, span: Span) -> Iterator[str]:
    """What speaks against the way in which pods left, as sentences."""
    yield from _lost_more(record, fault, span)
    yield from _stayed(record, fault)
    yield from _refused(record, fault, span)
    yield from _ended_early(record, span)


def _lost_more(record: Record, fault: Fault, span: Span) -> Iterator[str]:
    had = ready_at(record.ready, fault.asked_s - 1)
    if had is None:
        return
    claimed = fault.claim.steady.lost_at_once
    most = fault.most if claimed is None else claimed
    usual = [point.desired for point in record.hpa if point.t_s <= span[0]][-1:]
    lost: list[int] = []
    for step in record.ready:
        # Pods that the autoscaler took away until then are no loss; what it takes away later excuses nothing.
        until_s = step.t_s + _SCALED_S
        asked = [point.desired for point in record.hpa if span[0] < point.t_s <= until_s]
        if span[0] < step.t_s <= span[1] and step.ready < min([had, *usual, *asked]) - most:
            lost.append(step.ready)
    if not lost:
        return
    allowed = (
        f"with {most} hit at most: more were lost than the fault took."
        if claimed is None
        else f"and at most {most} may be missing at once."
    )
    said = f"Only {min(lost)} web pods were Ready at the worst moment, of {had} {allowed}"
    yield said + (" No PodDisruptionBudget covered them." if fault.injector.get("budgets") == [] else "")


def _stayed(record: Record, fault: Fault) -> Iterator[str]:
    """Chosen pods that had not been told to go when the fault was lifted."""
    if not fault.claim.steady.all_leave or fault.lifted_s is None:
        return
    asked = {life.name: life.deleting_s for life in record.web}
    left = [name for name in fault.chosen if (asked.get(name) or float("inf")) > fault.lifted_s + 1]
    if left:
        refused = str(fault.injector.get("refused") or "")
        why = f"An eviction was refused to the end: {refused[:160].rstrip('.')}. " if refused else ""
        share = f"{len(left)} of {len(fault.chosen)}"
        yield f"{why}{share} chosen pods were never told to go: {', '.join(left[:5])}."


def _refused(record: Record, fault: Fault, span: Span) -> Iterator[str]:
    """What others, such as an autoscaler of nodes, were refused."""
    for each in record.cluster:
        said = text(each.object, "message") or text(each.object, "note")
        fresh = each.kind == "Event" and each.type != "SNAPSHOT"
        if fresh and "disruption budget" in said and fault.asked_s <= each.received_s <= span[1]:
            yield f"An eviction was refused: {said[:160]}."
            return


def _ended_early(record: Record, span: Span) -> Iterator[str]:
    """A pod that was told to go with grace and ended before the traffic had time to leave it.

    The removal of its address races the signal; the policy's `pre_stop_s` is the head start that it gets.
    """
    keeps_s = record.run.plan.policy.web.drain.pre_stop_s
    served = {life.name for life in record.web if life.ready_s is not None}
    early: dict[str, float] = {}
    for each in record.cluster:
        name, grace_s = text(each.object, "metadata", "name"), _grace_s(each.object)
        ends_s = moment_s(each.object, "metadata", "deletionTimestamp")
        if each.kind != "Pod" or name not in served or ends_s is None or grace_s <= keeps_s:
            continue  # one that is killed without grace was promised nothing
        told_s = ends_s - grace_s
        for status in items(each.object, "status", "containerStatuses"):
            ended_s = moment_s(status, "state", "terminated", "finishedAt")
            web = text(status, "name") == WEB_COMPONENT and span[0] - 1 <= told_s <= span[1]
            # Both moments are cut to whole seconds.
            if web and ended_s is not None and ended_s - told_s + _WHOLE_SECOND_S < keeps_s:
                early[name] = max(0.0, ended_s - told_s)
    if early:
        name, lived_s = min(early.items(), key=lambda one: one[1])
        more = f", and so {len(early) - 1} more" if len(early) > 1 else ""
        yield (
            f"{name} had ended {lived_s:.0f} s after it was told to go{more}; the policy has it serve on for "
            f"{keeps_s} s (preStop), so that the traffic can leave it first."
        )


def _grace_s(pod: object) -> int:
    return integer(pod, "metadata", "deletionGracePeriodSeconds") or 0


def what_failed(record: Record, requests: pl.DataFrame) -> str:
    """Say what the failed requests have in common: their routes, and pods on their way out."""
    failed = requests.filter(~pl.col("ok"))
    if failed.is_empty():
        return ""
    routes = Counter(failed["route"].to_list()).most_common(_MOST_ROUTES)
    said = f" ({', '.join(f'{count} {route}' for route, count in routes)})"
    going = {life.name: life.deleting_s for life in record.web if life.deleting_s is not None}
    sent = unanswered = 0
    for pod, start_s in failed.select("pod", "start_s").iter_rows():
        if pod is None:
            # The gateway reached nobody and answered by itself.
            unanswered += any(at_s - 1 <= start_s <= at_s + WITHDRAWN_S for at_s in going.values())
        elif pod in going:
            sent += start_s >= going[pod] - 1
    if sent > failed.height * _HALF:
        said += f", {sent} of them sent to pods that were being deleted"
    elif sent + unanswered > failed.height * _HALF:
        said += (
            f", {sent + unanswered} of them while pods were being deleted and the traffic had not left them"
        )
    return said
