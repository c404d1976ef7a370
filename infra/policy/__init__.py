"""Rules that every object of the program must keep.

They run where the manifests are made, so that an object which breaks one is never registered, and in the
tests, where each rule also has an example that breaks it.
"""

from __future__ import annotations

from infra.policy.check import EXEMPT, RULES, check, enforce
from infra.policy.violation import Violation

__all__ = ["EXEMPT", "RULES", "Violation", "check", "enforce"]
