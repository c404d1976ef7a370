"""The names in a PromQL expression."""

from __future__ import annotations

import re

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"\{[^}]*\}")
_RANGE = re.compile(r"\[[^\]]*\]")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*(?!\s*\()(?![\w:])")
_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def metrics(expression: str) -> set[str]:
    """The metrics that an expression reads: what is neither a function, a keyword, a label nor a text."""
    rest = _TEXT.sub('""', expression)
    for pattern in (_SELECTOR, _RANGE, _LABELS):
        rest = pattern.sub(" ", rest)
    return {name for name in _NAME.findall(rest) if name.lower() not in _WORDS}


def filled(expression: str) -> str:
    """A dashboard's expression as Grafana would send it, with its variables in place."""
    values = {"$__rate_interval": "1m", "$job": "service", "$namespace": "tidegate"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression
