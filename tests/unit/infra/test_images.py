from __future__ import annotations

from pathlib import Path

import pytest

from infra.images import NOT_YET, Images, from_catalogue
from tidegate.errors import TidegateError
from tidegate.models.faults import FaultsConfig

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.mark.usefixtures("no_engine")
def test_a_preview_needs_no_engine_and_knows_every_reference() -> None:
    images = from_catalogue(FaultsConfig(chaos_mesh=True), preview=True)
    references = [*images.node_agents(), *images.on_workers(), images.node.reference]
    assert len(references) == len(Images.__dataclass_fields__)
    assert all(":" in reference.rpartition("/")[2] for reference in references)
    assert {*images.node_agents().values(), *images.on_workers().values()} == {NOT_YET}


@pytest.mark.usefixtures("no_engine")
def test_a_stack_without_faults_has_no_injector() -> None:
    assert from_catalogue(FaultsConfig(), preview=True).chaos_daemon is None


@pytest.mark.usefixtures("no_engine")
def test_anything_but_a_preview_needs_them() -> None:
    with pytest.raises(TidegateError):
        from_catalogue(FaultsConfig(chaos_mesh=True), preview=False)


def test_every_image_is_on_the_nodes_that_run_it(images: Images) -> None:
    assert set(images.node_agents()) == {"example/flannel:1.0", "example/kube-router:1.0"}
    assert "example/node:1.0" not in images.on_workers()
    assert len(images.on_workers()) == len(Images.__dataclass_fields__) - 3
