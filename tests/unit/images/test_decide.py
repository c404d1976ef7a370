"""What is done about an image, for every source and everything the engine may have."""

from __future__ import annotations

import pytest

from tidegate.images.decide import Decision, decide
from tidegate.images.engine import Labels
from tidegate.images.model import Source

ABSENT = None
PULLED: dict[str, str] = {"maintainer": "upstream"}
CURRENT = Labels(recipe="key").pairs()
OLD = Labels(recipe="other").pairs()


@pytest.mark.parametrize(
    ("source", "labels", "can_pull", "expected"),
    [
        ("packages", ABSENT, True, "build"),
        ("packages", PULLED, True, "build"),
        ("packages", OLD, True, "build"),
        ("packages", CURRENT, True, "present"),
        ("registry", ABSENT, False, "pull"),
        ("registry", PULLED, False, "present"),
        ("registry", OLD, False, "pull"),
        ("registry", CURRENT, False, "pull"),
        ("auto", ABSENT, True, "pull"),
        ("auto", ABSENT, False, "build"),
        ("auto", PULLED, False, "present"),
        ("auto", CURRENT, True, "present"),
        ("auto", OLD, True, "pull"),
        ("auto", OLD, False, "build"),
    ],
)
def test_an_upstream_image(
    source: Source, labels: dict[str, str] | None, can_pull: bool, expected: Decision
) -> None:
    assert decide(source=source, upstream=True, key="key", labels=labels, can_pull=can_pull) == expected


@pytest.mark.parametrize("source", ["auto", "registry", "packages"])
def test_our_own_image_is_always_built(source: Source) -> None:
    for labels in (ABSENT, PULLED, OLD):
        assert decide(source=source, upstream=False, key="key", labels=labels, can_pull=True) == "build"
    assert decide(source=source, upstream=False, key="key", labels=CURRENT, can_pull=True) == "present"
