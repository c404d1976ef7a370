from __future__ import annotations

import json

from tidegate.nodes.images import missing


def _listing(**held: str) -> str:
    return json.dumps({"images": [{"id": held[tag], "repoTags": [tag]} for tag in held]})


def test_what_the_new_node_has_is_not_copied() -> None:
    assert missing(_listing(pause="1", service="2"), _listing(pause="1")) == ["service"]


def test_the_same_tag_with_another_content_is_copied() -> None:
    assert missing(_listing(service="2"), _listing(service="1")) == ["service"]


def test_an_image_without_a_tag_cannot_be_named_and_is_left() -> None:
    untagged = json.dumps({"images": [{"id": "3", "repoTags": []}, {"id": "4"}]})
    assert missing(untagged, '{"images": null}') == []
