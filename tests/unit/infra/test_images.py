from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from infra.images import NOT_YET, Images, from_catalogue
from tidegate.errors import TidegateError
from tidegate.models.faults import FaultsConfig
from tidegate.models.load import LoadConfig
from tidegate.models.policy import Policy

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


@pytest.mark.usefixtures("no_engine")
def test_a_preview_needs_no_engine_and_knows_every_reference() -> None:
    images = from_catalogue(Policy(), FaultsConfig(), preview=True)
    references = [*images.node_agents(), *images.on_workers(), images.node.reference]
    wanted = [field for field in fields(Images) if field.default is MISSING]
    assert len(references) == len(wanted)
    assert all(":" in reference.rpartition("/")[2] for reference in references)
    assert {*images.node_agents().values(), *images.on_workers().values()} == {NOT_YET}


@pytest.mark.usefixtures("no_engine")
def test_a_stack_has_injectors_only_where_it_asks_for_faults() -> None:
    assert from_catalogue(Policy(), FaultsConfig(), preview=True).chaos_daemon is None
    found = from_catalogue(Policy(), FaultsConfig(chaos_mesh=True), preview=True)
    assert found.chaos_daemon is not None
    assert found.chaos_controller_manager is not None
    assert found.chaos_coredns is not None


@pytest.mark.usefixtures("no_engine")
def test_a_stack_has_generators_only_where_it_asks_for_load_in_the_cluster() -> None:
    found = from_catalogue(Policy(), FaultsConfig(), preview=True, load=LoadConfig(in_cluster=True))
    assert found.load is not None
    assert found.load.reference.startswith("tidegate/load:")
    assert found.load.reference in found.on_workers()
    assert from_catalogue(Policy(), FaultsConfig(), preview=True).load is None


@pytest.mark.usefixtures("no_engine")
def test_anything_but_a_preview_needs_them() -> None:
    with pytest.raises(TidegateError):
        from_catalogue(Policy(), FaultsConfig(), preview=False)


def test_every_image_is_on_the_nodes_that_run_it(images: Images) -> None:
    assert set(images.node_agents()) == {"example/flannel:1.0", "example/kube-router:1.0"}
    assert "example/node:1.0" not in images.on_workers()
    wanted = [field for field in fields(Images) if field.default is MISSING]
    assert len(images.on_workers()) == len(wanted) - 3


@pytest.mark.usefixtures("no_engine")
def test_the_cluster_autoscaler_is_wanted_with_node_groups_only() -> None:
    assert from_catalogue(Policy(), FaultsConfig(), preview=True).cluster_autoscaler is None
    grown = Policy.model_validate({"node_groups": [{"name": "small"}]})
    found = from_catalogue(grown, FaultsConfig(), preview=True)
    assert found.cluster_autoscaler is not None
    assert found.cluster_autoscaler.reference in found.on_workers()


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("document", "wanted"),
    [
        ({"web": {"nginx": {"enabled": True}}}, {"nginx"}),
        ({"worker": {"scale_by": "queue"}}, {"keda", "keda_metrics_apiserver"}),
        ({"web": {"hpa": {"metric": "rps"}}}, {"keda", "keda_metrics_apiserver"}),
        ({"web": {"vpa": {"mode": "Off"}}}, {"vpa_recommender"}),
        (
            {"worker": {"vpa": {"mode": "Recreate"}}},
            {"vpa_recommender", "vpa_updater", "vpa_admission_controller"},
        ),
    ],
)
def test_each_policy_brings_the_controllers_it_needs_and_no_others(
    document: dict[str, Any], wanted: set[str]
) -> None:
    found = from_catalogue(Policy.model_validate(document), FaultsConfig(), preview=True)
    optional = [field.name for field in fields(Images) if field.default is not MISSING]
    assert {name for name in optional if getattr(found, name) is not None} == wanted
