"""Put the three proofs of each experiment together. Never a pass without evidence."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.models.trial import Finding, Proof, Trial
from tidegate.run import RunReader
from tidegate.verdict.experiments.autoscaler import autoscaler
from tidegate.verdict.experiments.consistency import skew, unseen_pods
from tidegate.verdict.experiments.facts import Fault, Record, faults
from tidegate.verdict.experiments.signs import landed, signs
from tidegate.verdict.experiments.steady import steady
from tidegate.verdict.soundness import Doubt, doubts


def experiments(run: RunReader) -> tuple[Trial, ...]:
    """Judge every experiment of a Run, in the order of time; empty when there was none.

    Raises:
        TidegateError: a file of the Run is damaged.
    """
    found = faults(run.faults())
    if not found:
        return ()
    record = Record(run)
    return tuple(_trial(record, fault) for fault in sorted(found, key=lambda one: one.asked_s))


def overall(findings: Sequence[Finding]) -> Finding:
    """Return one finding for several: one that did not hold decides, then one that is open."""
    if not findings:
        return Finding.INCONCLUSIVE
    for worst in (Finding.NOT_HELD, Finding.INCONCLUSIVE):
        if worst in findings:
            return worst
    return Finding.HELD


def _trial(record: Record, fault: Fault) -> Trial:
    about = doubts(record.run)
    shared = [sentence for sentence in (skew(record, fault), unseen_pods(record)) if sentence]
    loads = [said for what, said in about if what in (Doubt.GENERATOR, Doubt.REQUESTS)]
    sights = [said for what, said in about if what is Doubt.CLUSTER]
    seen = signs(record, fault)
    there = landed(fault, seen)
    state = steady(record, fault, list(dict.fromkeys([*loads, *shared])))
    scaler = autoscaler(record, fault, list(dict.fromkeys([*sights, *shared])))
    proofs = (there, state.proof, scaler)
    finding, reasons = _finding(proofs, shared)
    end_s = fault.during(record.end_s())[1]
    born = tuple(life.name for life in record.web if fault.asked_s < life.created_s <= end_s)
    if born and not fault.at_once:
        covered = "are hit too" if fault.claim.new_pods == "hit" else "were not hit"
        reasons = (
            *reasons,
            f"{len(born)} pods were born while it lasted and {covered}: {', '.join(born[:5])}.",
        )
    return Trial(
        name=fault.name,
        statement=fault.claim.statement,
        kind=fault.kind,
        asked_s=fault.asked_s,
        lifted_s=fault.lifted_s,
        finding=finding,
        reasons=reasons,
        proofs=proofs,
        signs=tuple(seen),
        recovery_s=state.recovery_s,
        spans=state.spans,
        hit=tuple(fault.injector.get("pods") or ()),
        born=born,
        injector=_said(fault),
    )


def _finding(proofs: tuple[Proof, ...], doubts: Sequence[str]) -> tuple[Finding, tuple[str, ...]]:
    # A fault that never was there proves nothing about the service, for better or worse. Where the record
    # itself is in doubt, that may be why it was not seen.
    there = proofs[0]
    if there.finding is not Finding.HELD:
        return Finding.INCONCLUSIVE, tuple(dict.fromkeys((*doubts, *there.reasons)))
    finding = overall([proof.finding for proof in proofs])
    chosen = [proof for proof in proofs if proof.finding is finding]
    # A doubt about the record may be a reason in two proofs, and is said once.
    return finding, tuple(dict.fromkeys(reason for proof in chosen for reason in proof.reasons))


def _said(fault: Fault) -> tuple[str, ...]:
    told: list[str] = []
    if fault.injector:
        told.append("says it injected" if fault.injector.get("injected") else "does not say that it injected")
    if "evicted" in fault.injector:
        told.append(
            f"evicted {len(fault.injector['evicted'])} pods of {fault.injector.get('node')}; "
            f"{fault.injector.get('refusals', 0)} times it was refused and asked again"
        )
    if fault.injector.get("aborted"):
        told.append(f"lifted early: {fault.injector['aborted']}")
    if fault.injector.get("cleared"):
        told.append(str(fault.injector["cleared"]))
    return (*told, *fault.errors)
