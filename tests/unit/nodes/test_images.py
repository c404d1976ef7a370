from __future__ import annotations

import json

import pytest

from tidegate.nodes.images import full_reference, missing


def _listing(**held: str) -> str:
    return json.dumps({"images": [{"id": held[tag], "repoTags": [tag]} for tag in held]})


def test_what_the_new_node_has_is_not_copied() -> None:
    assert missing(_listing(pause="1", service="2"), _listing(pause="1")) == ["service"]


def test_the_same_tag_with_another_content_is_copied() -> None:
    assert missing(_listing(service="2"), _listing(service="1")) == ["service"]


def test_an_image_without_a_tag_cannot_be_named_and_is_left() -> None:
    untagged = json.dumps({"images": [{"id": "3", "repoTags": []}, {"id": "4"}]})
    assert missing(untagged, '{"images": null}') == []


@pytest.mark.parametrize(
    ("given", "full"),
    [
        ("redis:7", "docker.io/library/redis:7"),
        ("tidegate/service:1", "docker.io/tidegate/service:1"),
        ("registry.k8s.io/pause:3", "registry.k8s.io/pause:3"),
        ("localhost/mine:1", "localhost/mine:1"),
        ("host:5000/mine:1", "host:5000/mine:1"),
    ],
)
def test_an_image_has_its_registry_in_its_name(given: str, full: str) -> None:
    assert full_reference(given) == full
