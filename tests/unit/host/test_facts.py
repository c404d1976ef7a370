from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tidegate.host.facts import Facts, Wanted, upstream_references, upstreams


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("images:\n- {name: a, upstream: r.example/a:1}\n- {name: b, upstream: b}", ["r.example/a:1", "b"]),
        ("a: {upstream: {name: r.example/a, tag: '1.2'}, recipe: {upstream: x}}", ["r.example/a:1.2", "x"]),
        ("a: {upstream: {repository: a}}", ["a"]),
        ("a: {upstream: 3}", []),
        ("[1, null]", []),
        ("", []),
    ],
)
def test_finds_upstream_images_wherever_they_stand(text: str, found: list[str]) -> None:
    assert list(upstreams(yaml.safe_load(text))) == found


def test_no_catalogue_is_no_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "charts").mkdir()
    (tmp_path / "images").mkdir()
    monkeypatch.chdir(tmp_path)
    catalogue = tmp_path / "images/catalogue.yaml"
    catalogue.write_text("images: [{upstream: r.example/a:1}]")
    assert upstream_references() == ["r.example/a:1"]
    catalogue.write_text("{torn: [")
    assert upstream_references() == []


def test_a_cache_is_cold_until_something_is_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent")
    facts = Facts(Wanted(), deadline_s=30)
    assert facts.cold()
    (tmp_path / "cache").mkdir()
    assert facts.cold()
    (tmp_path / "cache/images").mkdir()
    assert not facts.cold()
    assert facts.engine() is None
    assert facts.info() is None
    assert facts.cluster_nodes() == []
    assert [each.reason for each in facts.probes()] == ["no such socket"]
