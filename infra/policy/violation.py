"""What a rule finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """An object that breaks a rule.

    Args:
        rule: the rule's name, in `infra.policy.RULES`.
        subject: kind, namespace and name of the object.
        detail: which part of it, and what is wrong there.
    """

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.subject}: {self.detail}"
