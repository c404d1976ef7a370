"""Whether a run kept its objectives: held, not held, or could not tell."""

from tidegate.models import Check, Outcome, Verdict
from tidegate.verdict.exit import exit_code
from tidegate.verdict.judge import assess, judge

__all__ = ["Check", "Outcome", "Verdict", "assess", "exit_code", "judge"]
