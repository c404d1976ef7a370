"""For each image: is what the engine has good enough, and if not, is it pulled or built?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tidegate.images.engine import SOURCE_LABEL, Labels
from tidegate.images.model import Source

Decision = Literal["present", "pull", "build"]


def decide(
    *, source: Source, upstream: bool, key: str, labels: Mapping[str, str] | None, can_pull: bool
) -> Decision:
    """Return what is to be done about one image.

    Args:
        source: where images come from.
        upstream: whether it is published anywhere; our own images never are.
        key: the key of its recipe now.
        labels: the labels of the image the engine has under its reference; None when it has none.
        can_pull: whether its registry answered (only `auto` asks).
    """
    ours = labels is not None and SOURCE_LABEL in labels
    current = Labels(recipe=key).matches(labels)
    if source == "packages" or not upstream:
        return "present" if current else "build"
    if source == "registry":
        return "present" if labels is not None and not ours else "pull"
    if labels is not None and (current or not ours):
        return "present"
    return "pull" if can_pull else "build"
