"""What is ours and what is not, against a real container engine. No cluster is made: labels suffice."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.own_engine import lacking

from infra.cluster import docker, kind, record
from infra.cluster.record import Record
from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir

pytestmark = pytest.mark.integration

IMAGE = "tidegate-test/empty:1"
OWNER = "tidegate/test"

TOOL_PATH = docker.tool_env()["PATH"]
"""With the kit's own tools, from before the tests put another state folder in their place."""

Node = Callable[..., str]


def engine(*words: str, text: str = "") -> str:
    done = subprocess.run(["docker", *words], input=text, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(autouse=True)
def own_engine(engine_env: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every docker of these tests speaks to an engine of their own."""
    monkeypatch.setenv("PATH", TOOL_PATH)
    for variable, value in engine_env.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def image(own_engine: None) -> Iterator[str]:
    """An image with nothing in it: enough for containers that never start."""
    empty_tar = "\0" * 1024
    engine("import", "--change", 'CMD ["none"]', "-", IMAGE, text=empty_tar)
    yield IMAGE
    engine("rmi", "--force", IMAGE)


@pytest.fixture
def name(own_engine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster name nobody has; whatever is left under it afterwards is removed."""
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    chosen = f"test-{uuid.uuid4().hex[:8]}"
    yield chosen
    for each in docker.cluster_containers(chosen):
        engine("rm", "--force", "--volumes", each.id)
    if docker.network_owner(kind.network_name(chosen)) is not None:
        engine("network", "rm", kind.network_name(chosen))


@pytest.fixture
def node(image: str, name: str) -> Node:
    """Return a function that creates a container which kind would count to the cluster."""

    def create(suffix: str = "control-plane", *, network: str = "none") -> str:
        labels = {docker.KIND_CLUSTER_LABEL: name, docker.KIND_ROLE_LABEL: suffix}
        words = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        return engine("create", "--name", f"{name}-{suffix}", "--network", network, *words, image)

    return create


def refusal(name: str) -> str:
    with pytest.raises(TidegateError) as caught:
        kind.create(name, "kind: Cluster", OWNER)
    return str(caught.value)


def test_a_cluster_that_we_did_not_make_is_refused_and_left_alone(name: str, node: Node) -> None:
    foreign = node()
    assert f"a kind cluster named {name} exists that this stack did not make" in refusal(name)
    assert [each.id for each in docker.cluster_containers(name)] == [foreign]
    assert not cluster_dir(name).exists()


def test_a_network_that_we_did_not_make_is_refused(name: str, image: str) -> None:
    engine("network", "create", kind.network_name(name))
    assert "a container network named" in refusal(name)
    assert docker.network_owner(kind.network_name(name)) == ""


def test_another_stacks_cluster_is_refused(name: str, node: Node) -> None:
    known = Record(
        owner="tidegate/other", token="t", config="c", containers={f"{name}-control-plane": node()}
    )
    known.save(name)
    assert f"the kind cluster {name} belongs to the stack tidegate/other" in refusal(name)
    assert record.load(name) == known


def test_one_foreign_node_in_our_cluster_is_enough_to_refuse(name: str, node: Node) -> None:
    Record(owner=OWNER, token="t", config="c", containers={"x": node()}).save(name)
    node("worker")
    assert f"{name}-worker" in refusal(name)


def test_presence(name: str, node: Node) -> None:
    control = node()
    assert kind.presence(name, {"a": control}) is kind.Presence.STOPPED
    worker = node("worker")
    assert kind.presence(name, {"a": control}) is kind.Presence.STOPPED, "a node added later does not count"
    assert kind.presence(name, {"a": control, "b": worker}) is kind.Presence.STOPPED
    engine("rm", control)
    assert kind.presence(name, {"a": control, "b": worker}) is kind.Presence.GONE
    assert kind.presence(name, {}) is kind.Presence.GONE


def test_deleting_takes_all_that_is_ours(name: str, node: Node) -> None:
    if shutil.which("kind") is None:
        lacking(["kind, which `make tools` brings"])
    begun = Record(owner=OWNER, token="mine", config="c")
    begun.save(name)
    docker.create_network(kind.network_name(name), begun.token)
    node(network=kind.network_name(name))
    kind.delete(name, begun.token)
    assert docker.cluster_containers(name) == []
    assert docker.network_owner(kind.network_name(name)) is None
    assert not cluster_dir(name).exists()
    kind.delete(name, begun.token)


def test_deleting_an_earlier_cluster_of_the_name_leaves_the_present_one(name: str, node: Node) -> None:
    container = node()
    Record(owner=OWNER, token="new", config="c", containers={"a": container}).save(name)
    kind.delete(name, "old")
    assert [each.id for each in docker.cluster_containers(name)] == [container]
    assert record.load(name) is not None


def test_our_network_carries_the_mark(name: str, image: str) -> None:
    network = kind.network_name(name)
    assert docker.network_owner(network) is None
    docker.create_network(network, "token")
    assert docker.network_owner(network) == "token"
