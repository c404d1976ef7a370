from __future__ import annotations

import json

import pytest

from infra.cluster.images import canonical, missing

LISTING = json.dumps(
    {
        "images": [
            {"id": "sha256:a", "repoTags": ["docker.io/tidegate/service:1"]},
            {"id": "sha256:b", "repoTags": ["registry.k8s.io/pause:3.10", "docker.io/library/redis:7"]},
            {"id": "sha256:c", "repoTags": None},
        ]
    }
)


@pytest.mark.parametrize(
    ("reference", "stored"),
    [
        ("redis:7", "docker.io/library/redis:7"),
        ("tidegate/service:1", "docker.io/tidegate/service:1"),
        ("registry.k8s.io/pause:3.10", "registry.k8s.io/pause:3.10"),
        ("localhost:5000/x/y:1", "localhost:5000/x/y:1"),
        ("localhost/x:1", "localhost/x:1"),
    ],
)
def test_a_reference_is_compared_as_containerd_stores_it(reference: str, stored: str) -> None:
    assert canonical(reference) == stored


def test_what_the_node_holds_is_not_loaded_again() -> None:
    assert missing(LISTING, {"tidegate/service:1": "sha256:a", "redis:7": "sha256:b"}) == []


def test_another_content_under_the_same_tag_is_loaded() -> None:
    assert missing(LISTING, {"tidegate/service:1": "sha256:new", "redis:7": "sha256:b"}) == [
        "tidegate/service:1"
    ]


def test_an_empty_node_gets_everything() -> None:
    assert missing('{"images": null}', {"redis:7": "sha256:b"}) == ["redis:7"]
    assert missing("{}", {"redis:7": "sha256:b"}) == ["redis:7"]
