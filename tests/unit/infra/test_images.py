from __future__ import annotations

from pathlib import Path

import pytest

from infra.images import NOT_YET, Images, from_catalogue
from tidegate.errors import TidegateError
from tidegate.images.catalogue import load_catalogue

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.mark.usefixtures("no_engine")
def test_a_preview_needs_no_engine_and_knows_every_reference() -> None:
    images = from_catalogue(preview=True)
    references = [*images.node_agents(), *images.on_workers(), images.node.reference]
    # One is there only where the policy asks for it.
    assert len(references) == len(Images.__dataclass_fields__) - 1
    assert from_catalogue(preview=True, nginx=True).on_workers().keys() - set(references) == {
        load_catalogue(ROOT).images["nginx"].reference
    }
    assert all(":" in reference.rpartition("/")[2] for reference in references)
    assert {*images.node_agents().values(), *images.on_workers().values()} == {NOT_YET}


@pytest.mark.usefixtures("no_engine")
def test_anything_but_a_preview_needs_them() -> None:
    with pytest.raises(TidegateError):
        from_catalogue(preview=False)


def test_every_image_is_on_the_nodes_that_run_it(images: Images) -> None:
    assert set(images.node_agents()) == {"example/flannel:1.0", "example/kube-router:1.0"}
    assert "example/node:1.0" not in images.on_workers()
    # The node's own, two that run on every node, and NGINX, which this stack does not have.
    assert len(images.on_workers()) == len(Images.__dataclass_fields__) - 4
