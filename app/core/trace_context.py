"""The place in a trace that a message carries (W3C Trace Context, level 1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

HEADER = "traceparent"
LONGEST = 55
"""Characters of the version in use."""

# Section 3.2. Of later versions what this one knows is read; this one has nothing after the flags.
_FORM = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A span that something else continues."""

    trace_id: str
    """32 hexadecimal digits, not all zero."""
    span_id: str
    """16 hexadecimal digits, not all zero."""
    sampled: bool
    """Whether whoever began the trace records it."""

    @classmethod
    def parse(cls, text: str | None) -> TraceParent | None:
        """Read a header; None where there is none, or where it says nothing that may be relied on."""
        found = _FORM.fullmatch(text or "")
        if found is None or (found["version"] == "00" and found["rest"]):
            return None
        trace_id, span_id = found["trace"], found["span"]
        if not trace_id.strip("0") or not span_id.strip("0"):
            return None
        return cls(trace_id, span_id, bool(int(found["flags"], 16) & 1))

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"
