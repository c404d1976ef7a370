"""The policy for versions of the API that are on their way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime


@dataclass(frozen=True)
class Deprecation:
    """One version's end, told ahead in every answer.

    Args:
        prefix: paths of the version.
        deprecated_at: from when on nothing new should be built on it (RFC 9745).
        sunset_at: from when on it may be gone (RFC 8594); at least a year later, by our own rule.
        successor: where to go instead.
    """

    prefix: str
    deprecated_at: datetime
    sunset_at: datetime
    successor: str

    def headers(self) -> dict[str, str]:
        """What every answer of the version carries."""
        return {
            # A structured date (RFC 9651, section 3.3.7), not an HTTP date as in Sunset.
            "Deprecation": f"@{int(self.deprecated_at.timestamp())}",
            "Sunset": format_datetime(self.sunset_at, usegmt=True),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


V1 = Deprecation(
    prefix="/api/v1/",
    deprecated_at=datetime(2026, 12, 1, tzinfo=UTC),
    sunset_at=datetime(2027, 12, 1, tzinfo=UTC),
    successor="/api/v2/",
)
"""Version 1 makes callers wait for the fraud check, and its capacity is that of the web pods."""
