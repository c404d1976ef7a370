"""Put the checks together into one verdict.

A definite violation makes the run `not_held`, whatever else is doubtful. Otherwise a check whose answer a
doubt could change makes it `could_not_tell`. Only when every check holds beyond doubt is it `held`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.models import Check, Outcome, Verdict
from tidegate.models.trial import Finding, Trial
from tidegate.run import RunReader, save_verdict
from tidegate.verdict.experiments import experiments, overall
from tidegate.verdict.ledger import orders_kept
from tidegate.verdict.platform import generator, peak_of_ready, queue_age
from tidegate.verdict.requests import availability, latency
from tidegate.verdict.soundness import Doubt, doubts


def judge(run: RunReader) -> Verdict:
    """Judge `run`, write `verdict.json` into its folder, and return the verdict.

    Raises:
        TidegateError: a file of the run is damaged, or the verdict cannot be written.
    """
    verdict = assess(run)
    save_verdict(run.path, verdict)
    return verdict


def assess(run: RunReader) -> Verdict:
    """Judge `run` without writing anything."""
    found = doubts(run)
    trials = experiments(run)
    if trials:
        return _of_experiments(run, trials)
    checks = tuple(_checks(run, {about for about, _ in found}))
    outcome = _overall(checks, window_known=run.plan.load_window_s is not None)
    return Verdict(outcome=outcome, checks=checks, reasons=tuple(_reasons(run, outcome, checks, found)))


def _of_experiments(run: RunReader, trials: Sequence[Trial]) -> Verdict:
    """Judge a Run that was broken on purpose by what its experiments claimed."""
    told = {
        Finding.HELD: Outcome.HELD,
        Finding.NOT_HELD: Outcome.NOT_HELD,
        Finding.INCONCLUSIVE: Outcome.COULD_NOT_TELL,
    }
    units = {"landed": "signs", "steady": "%", "autoscaler": "replicas"}
    checks = [generator(run)]
    for trial in trials:
        during = trial.spans[1]
        measured = {
            "landed": float(sum(sign.seen_s is not None for sign in trial.signs)),
            "steady": during.availability_percent,
            "autoscaler": None if during.desired is None else float(during.desired[1]),
        }
        checks += [
            Check(
                name=f"{trial.name} {proof.name}",
                outcome=told[proof.finding],
                measured=measured[proof.name],
                threshold=float(len(trial.signs)) if proof.name == "landed" else None,
                unit=units[proof.name],
                detail=" ".join(proof.reasons),
                count=during.requests if proof.name == "steady" else None,
            )
            for proof in trial.proofs
        ]
    reasons = [f"{trial.name}: {reason}" for trial in trials for reason in trial.reasons]
    outcome = told[overall([trial.finding for trial in trials])]
    if run.plan.load_window_s is None and outcome is Outcome.HELD:
        outcome = Outcome.COULD_NOT_TELL
        reasons.append("The load window was never recorded, so the load did not run to its end.")
    return Verdict(outcome=outcome, checks=tuple(checks), reasons=tuple(reasons))


def _checks(run: RunReader, doubted: set[Doubt]) -> Iterator[Check]:
    requests, slo = run.window_requests(), run.plan.slo
    yield generator(run)
    yield availability(requests, slo, doubted)
    yield from latency(requests, slo, doubted)
    if slo.queue_age_max_s is not None:
        yield queue_age(run, slo.queue_age_max_s, doubted)
    yield from orders_kept(run)
    least = run.plan.expectations.min_peak_ready_web
    if least is not None:
        yield peak_of_ready(run, least, doubted)


def _overall(checks: Sequence[Check], *, window_known: bool) -> Outcome:
    if not window_known:
        # Without it nobody knows which requests were warm-up and which were the test.
        return Outcome.COULD_NOT_TELL
    answers = {check.outcome for check in checks}
    if Outcome.NOT_HELD in answers:
        return Outcome.NOT_HELD
    return Outcome.COULD_NOT_TELL if Outcome.COULD_NOT_TELL in answers else Outcome.HELD


def _reasons(
    run: RunReader, outcome: Outcome, checks: Sequence[Check], found: Sequence[tuple[Doubt, str]]
) -> Iterator[str]:
    if run.plan.load_window_s is None:
        yield "The load window was never recorded, so the load did not run to its end."
    if outcome is Outcome.HELD:
        requests = run.window_requests().height
        yield f"All {len(checks)} checks held over {requests} requests."
    for check in checks:
        if check.outcome is not Outcome.HELD:
            said = "was not held" if check.outcome is Outcome.NOT_HELD else "could not be told"
            yield f"{check.name[0].upper()}{check.name[1:]} {said}: {_against(check)}{check.detail}"
    if outcome is not Outcome.HELD:
        # A recorder's error is a doubt in several respects, said once; the generator has a check of its own.
        yield from dict.fromkeys(sentence for about, sentence in found if about is not Doubt.GENERATOR)


def _against(check: Check) -> str:
    if check.measured is None or check.threshold is None:
        return ""
    return f"{check.measured:.6g} {check.unit} against {check.threshold:g} {check.unit}. "
