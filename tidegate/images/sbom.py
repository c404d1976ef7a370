"""What goes into an image, as a software bill of materials (CycloneDX 1.5).

Made from the wheels themselves, which were fetched by the lock file's hashes: the bill names what is in the
image, not what might be. Nothing in it depends on when or where it was made, so the same lock file gives the
same bill to the byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import parse_wheel_filename

NAME = "sbom.cdx.json"
"""The file's name, beside the wheels and in the image."""


def bill(subject: str, wheels: Iterable[Path]) -> str:
    """Return the bill as JSON text.

    Args:
        subject: what the wheels are put into.
        wheels: files with the names that wheels have.
    """
    components = [_component(wheel) for wheel in sorted(wheels, key=lambda wheel: wheel.name.lower())]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": subject, "bom-ref": subject}},
        "components": components,
        "dependencies": [{"ref": subject, "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return json.dumps(document, indent=1) + "\n"


def _component(wheel: Path) -> dict[str, object]:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    # https://github.com/package-url/purl-spec, type pypi
    purl = f"pkg:pypi/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": str(name),
        "version": str(version),
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}],
    }
