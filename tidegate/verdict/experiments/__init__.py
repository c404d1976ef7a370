"""Whether experiments held: three proofs each, as pure functions over a Run."""

from tidegate.verdict.experiments.judge import experiments, overall
from tidegate.verdict.experiments.signs import landed_signs

__all__ = ["experiments", "landed_signs", "overall"]
