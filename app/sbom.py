"""`python -m app.sbom`: the packages this image consists of, as CycloneDX JSON."""

from __future__ import annotations

import sys
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / "sbom.cdx.json"
"""Beside the code, where the image's build puts it."""


def main(path: Path = PATH) -> int:
    """Print the bill; status 1 where there is none."""
    try:
        print(path.read_text(), end="")
    except FileNotFoundError:
        print(f"error: {path} is not there: only the image has one", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
