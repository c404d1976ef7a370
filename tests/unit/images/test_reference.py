"""Names of images as the engine, a registry and a mirror know them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.errors import TidegateError
from tidegate.images.reference import parse


@pytest.mark.parametrize(
    ("text", "whole", "familiar", "mirrored", "api_host"),
    [
        (
            "docker.io/library/redis:7.0-bookworm",
            "docker.io/library/redis:7.0-bookworm",
            "redis:7.0-bookworm",
            "127.0.0.1:5000/library/redis:7.0-bookworm",
            "registry-1.docker.io",
        ),
        (
            "redis:7",
            "docker.io/library/redis:7",
            "redis:7",
            "127.0.0.1:5000/library/redis:7",
            "registry-1.docker.io",
        ),
        (
            "docker.io/envoyproxy/gateway:v1.9.1",
            "docker.io/envoyproxy/gateway:v1.9.1",
            "envoyproxy/gateway:v1.9.1",
            "127.0.0.1:5000/envoyproxy/gateway:v1.9.1",
            "registry-1.docker.io",
        ),
        (
            "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
            "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
            "registry.k8s.io/metrics-server/metrics-server:v0.9.0",
            "127.0.0.1:5000/metrics-server/metrics-server:v0.9.0",
            "registry.k8s.io",
        ),
        (
            "localhost:5001/a/b:c",
            "localhost:5001/a/b:c",
            "localhost:5001/a/b:c",
            "127.0.0.1:5000/a/b:c",
            "localhost:5001",
        ),
        (
            "tidegate/service:0123456789abcdef",
            "docker.io/tidegate/service:0123456789abcdef",
            "tidegate/service:0123456789abcdef",
            "127.0.0.1:5000/tidegate/service:0123456789abcdef",
            "registry-1.docker.io",
        ),
    ],
)
def test_a_reference_in_all_its_forms(
    text: str, whole: str, familiar: str, mirrored: str, api_host: str
) -> None:
    reference = parse(text)
    assert str(reference) == whole
    assert reference.familiar == familiar
    assert reference.on_mirror("127.0.0.1:5000") == mirrored
    assert reference.api_host == api_host


def test_a_mirror_may_have_a_path() -> None:
    there = parse("registry.k8s.io/pause:3.10").on_mirror("mirror.example/k8s/")
    assert there == "mirror.example/k8s/pause:3.10"


@pytest.mark.parametrize("text", ["redis", "redis:", ":7", "a/b", "a:5000/b", "redis@sha256:00", "host/"])
def test_what_has_no_tag_is_refused(text: str) -> None:
    with pytest.raises(TidegateError, match="not an image with a tag"):
        parse(text)


PART = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


@given(st.lists(PART, min_size=1, max_size=3), PART, st.sampled_from(["", "docker.io/", "ghcr.io/", "h:5/"]))
def test_the_engines_short_form_names_the_same_image(path: list[str], tag: str, host: str) -> None:
    reference = parse(f"{host}{'/'.join(path)}:{tag}")
    assert parse(reference.familiar) == reference
    assert parse(str(reference)) == reference
