"""The bill of materials: valid, exact, and the same every time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tidegate.images.sbom import bill


def _wheels(folder: Path) -> list[Path]:
    wheels = [folder / "Some_Thing-1.2.3-py3-none-any.whl", folder / "other-2.0-cp311-cp311-linux_x86_64.whl"]
    for wheel in wheels:
        wheel.write_bytes(wheel.name.encode())
    return wheels


def test_it_is_valid_and_says_what_the_wheels_are(tmp_path: Path) -> None:
    wheels = _wheels(tmp_path)
    text = bill("service", wheels)
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["name"] == "service"
    found = {each["purl"]: each["hashes"] for each in document["components"]}
    assert found == {
        purl: [{"alg": "SHA-256", "content": hashlib.sha256(wheel.read_bytes()).hexdigest()}]
        for purl, wheel in zip(("pkg:pypi/some-thing@1.2.3", "pkg:pypi/other@2.0"), wheels, strict=True)
    }


def test_it_does_not_depend_on_when_or_in_which_order(tmp_path: Path) -> None:
    wheels = _wheels(tmp_path)
    assert bill("service", wheels) == bill("service", reversed(wheels))
