"""Results beside the report: JSON for programs, JUnit XML for a CI's own view."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from tidegate.models.trial import TRIALS_FILE, Finding, Trial
from tidegate.run.folder import write_atomic
from tidegate.verdict.experiments import overall

JUNIT_FILE = "junit.xml"


def as_json(trials: Sequence[Trial]) -> str:
    """Return all experiments and the finding over them as JSON."""
    whole = {
        "finding": overall([trial.finding for trial in trials]),
        "experiments": [trial.model_dump(mode="json") for trial in trials],
    }
    return json.dumps(whole, indent=2)


def as_junit(trials: Sequence[Trial]) -> str:
    """Return a JUnit test suite: one case a proof.

    Not held is a failure. Inconclusive is an error and not `skipped`, for which a CI shows a green light.
    """
    suite = ET.Element("testsuite", name="tidegate chaos")
    failures = errors = 0
    for trial in trials:
        lasted_s = sum(span.to_s - span.from_s for span in trial.spans)
        for proof in trial.proofs:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=trial.name,
                name=proof.name,
                time=f"{lasted_s if proof is trial.proofs[0] else 0:.3f}",
            )
            if proof.finding is Finding.HELD:
                continue
            failed = proof.finding is Finding.NOT_HELD
            failures, errors = failures + failed, errors + (not failed)
            told = ET.SubElement(case, "failure" if failed else "error", message=_plain(proof.reasons[0]))
            told.text = _plain("\n".join(proof.reasons))
    suite.set("tests", str(3 * len(trials)))
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _plain(said: str) -> str:
    """Leave out what XML 1.0 cannot hold: an injector's message may have control characters."""
    return "".join(char for char in said if char in "\t\n" or char >= " ")


def save_results(folder: Path, trials: Sequence[Trial]) -> None:
    """Write `experiments.json` and `junit.xml` into a Run's folder."""
    write_atomic(folder / TRIALS_FILE, as_json(trials).encode() + b"\n")
    write_atomic(folder / JUNIT_FILE, as_junit(trials).encode())
