"""What is said to docker, to kubeadm and to kubectl."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from support.fake_nodes import SMALL

from tidegate.errors import TidegateError
from tidegate.nodes.join import TooSmall
from tidegate.nodes.kind import KindHost
from tidegate.nodes.marks import Mark, Stage
from tidegate.proc import Completed

PEER: dict[str, Any] = {
    "Config": {"Image": "kindest/node:v1", "Env": ["HTTP_PROXY=http://proxy:1", "container=docker"]},
    "HostConfig": {
        "NetworkMode": "tidegate-demo",
        "UsernsMode": "",
        "Binds": ["4f1c:/var", "/lib/modules:/lib/modules:ro", "/state/cni.json:/etc/cni.json:ro"],
        "Devices": [{"PathOnHost": "/dev/kvm"}, {"PathOnHost": "/dev/fuse"}],
    },
}
STATUS = {
    "capacity": {"cpu": "2", "memory": "8388608Ki", "ephemeral-storage": "1000Ki"},
    "nodeInfo": {"architecture": "arm64"},
}
JOIN = "kubeadm join demo-control-plane:6443 --token ab.cd --discovery-token-ca-cert-hash sha256:1\n"


class Docker:
    """Answers by what a command contains; remembers all commands and what was written to them."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.written: dict[str, str] = {}
        self.answers: list[tuple[str, Callable[[], Completed]]] = []
        self.answer("crictl info")
        self.answer("kubeadm token create", JOIN)
        self.answer("get node demo-control-plane", json.dumps({"status": STATUS}))
        self.answer("NetworkSettings", "172.18.0.7\n")
        self.answer("docker inspect demo-worker", json.dumps([PEER]))
        self.answer("cat /etc/containerd/config.toml", "peer's configuration")
        self.answer("label=io.x-k8s.kind.role=worker", "demo-small-0\tsmall\ndemo-worker2\t\ndemo-worker\t\n")

    def answer(self, part: str, stdout: str = "", *, code: int = 0, stderr: str = "") -> None:
        self.answers.insert(0, (part, lambda: Completed(code, stdout, stderr)))

    def __call__(
        self,
        cmd: list[str | Path],
        *,
        input: str | None = None,  # noqa: A002
        timeout_s: float,
        check: bool = True,
    ) -> Completed:
        words = " ".join(str(word) for word in cmd)
        self.said.append(words)
        if input is not None:
            self.written[words.rpartition(" ")[2]] = input
        done = next((made() for part, made in self.answers if part in words), Completed(0, "", ""))
        if check and done.returncode:
            raise TidegateError(f"{words} failed")
        return done

    def where(self, part: str) -> int:
        """The place of the first command that contains `part`."""
        return next(index for index, words in enumerate(self.said) if part in words)


class Place:
    def __init__(self) -> None:
        self.docker = Docker()
        self.copied: list[tuple[str, str, Collection[str]]] = []
        self.slept: list[float] = []
        self.host = KindHost(
            "demo",
            runner=self.docker,
            copy_images=lambda source, target, wanted: self.copied.append((source, target, wanted)),
            sleep=self.slept.append,
        )


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_node_is_run_as_its_peer_was(place: Place) -> None:
    place.host.start("demo-small-1", SMALL)
    words = place.docker.said[place.docker.where("docker run")]
    assert words.startswith("docker run --detach --tty --name demo-small-1 --hostname demo-small-1 ")
    assert words.endswith(" kindest/node:v1")
    for part in (
        "--label io.x-k8s.kind.cluster=demo",
        "--label io.x-k8s.kind.role=worker",
        "--label tidegate.nodes.group=small",
        "--net tidegate-demo",
        "--privileged",
        "--volume /lib/modules:/lib/modules:ro",
        "--volume /state/cni.json:/etc/cni.json:ro",
        "--device /dev/fuse",
        "--env HTTP_PROXY=http://proxy:1",
    ):
        assert part in words, part
    assert "4f1c" not in words  # the peer's own /var
    assert "/dev/kvm" not in words
    assert "--userns" not in words


def test_the_peer_is_a_worker_that_kind_made(place: Place) -> None:
    place.host.start("demo-small-1", SMALL)
    assert place.copied == [("demo-worker", "demo-small-1", set())]


def test_what_waiting_pods_and_every_node_need_comes_first_and_the_rest_later(place: Place) -> None:
    place.docker.answer(
        "get pods --all-namespaces",
        "DaemonSet\tdemo-worker\t agent:v1\n"
        "ReplicaSet\tdemo-worker\t elsewhere:v1\n"
        "Node\tdemo-control-plane\t scheduler:v1\n"
        "Job\tdemo-worker\t migrate:v1\n"
        "ReplicaSet\t\tdocker.io/init:v1 shop/service:v2\n",
    )
    place.host.start("demo-small-1", SMALL)
    place.host.stock("demo-small-1", lambda: True)
    first = {"docker.io/library/agent:v1", "docker.io/init:v1", "docker.io/shop/service:v2"}
    later = [{each} for each in sorted({*first, "docker.io/library/elsewhere:v1"})]
    assert place.copied == [("demo-worker", "demo-small-1", images) for images in [first, *later]]


def test_a_node_that_is_made_goes_before_the_images_of_one_that_serves(place: Place) -> None:
    place.docker.answer("get pods --all-namespaces", "ReplicaSet\tdemo-worker\t one:v1\n")
    copied: list[str] = []

    def copy(_source: str, target: str, _wanted: Collection[str]) -> None:
        copied.append(target)
        if target == "demo-small-2":
            # In the middle of making it, the other is stocked, for as long as nobody had to wait.
            host.stock("demo-small-1", lambda: not place.slept)

    host = KindHost("demo", runner=place.docker, copy_images=copy, sleep=place.slept.append)
    host.start("demo-small-2", SMALL)
    assert copied == ["demo-small-2"]
    assert place.slept
    place.slept.clear()
    host.stock("demo-small-1", lambda: True)
    assert copied == ["demo-small-2", "demo-small-1"]


def test_a_node_that_is_to_go_gets_no_more_images(place: Place) -> None:
    place.docker.answer("get pods --all-namespaces", "ReplicaSet\tdemo-worker\t one:v1 two:v1 three:v1\n")
    place.host.stock("demo-small-1", lambda: len(place.copied) < 2)
    assert [images for _, _, images in place.copied] == [
        {"docker.io/library/one:v1"},
        {"docker.io/library/three:v1"},
    ]


def test_a_cluster_without_a_worker_of_its_own(place: Place) -> None:
    place.docker.answer("label=io.x-k8s.kind.role=worker", "demo-small-0\tsmall\n")
    with pytest.raises(TidegateError, match="no worker of its own"):
        place.host.start("demo-small-1", SMALL)


def test_steps_come_in_order(place: Place) -> None:
    place.host.start("demo-small-1", SMALL)
    parts = (
        "docker rm --force --volumes demo-small-1",
        "delete node demo-small-1",
        "docker run",
        "cp /dev/stdin /etc/containerd/config.toml",
        "systemctl restart containerd",
        "kubeadm token create",
        "kubeadm join --config /kind/kubeadm.conf",
        "kubeadm token delete ab",
    )
    places = [place.docker.where(part) for part in parts]
    assert places == sorted(places)
    assert place.docker.written["/etc/containerd/config.toml"] == "peer's configuration"


def test_the_node_is_told_its_address_and_its_size(place: Place) -> None:
    place.host.start("demo-small-1", SMALL)
    assert "172.18.0.7" in place.docker.written["/kind/kubeadm.conf"]
    patch = json.loads(place.docker.written["/kind/tidegate-patches/kubeletconfiguration0+merge.json"])
    assert patch["systemReserved"]["cpu"] == "1500m"


def test_the_token_does_not_outlive_a_join_that_failed(place: Place) -> None:
    place.docker.answer("kubeadm join", code=1)
    with pytest.raises(TidegateError):
        place.host.start("demo-small-1", SMALL)
    assert place.docker.said[-1].endswith("kubeadm token delete ab")


def test_a_machine_that_is_too_small_is_told_before_anything_is_made(place: Place) -> None:
    with pytest.raises(TooSmall):
        place.host.start("demo-small-1", SMALL.model_copy(update={"cpu_m": 4000}))
    assert not any("docker run" in words for words in place.docker.said)


def test_containerd_is_waited_for_but_not_for_ever(place: Place) -> None:
    place.docker.answer("crictl info", code=1)
    with pytest.raises(TidegateError, match="containerd in demo-small-1 did not answer within 60 s"):
        place.host.start("demo-small-1", SMALL)
    assert sum(place.slept) == 60


def test_the_machines_size_is_the_control_planes(place: Place) -> None:
    found = place.host.capacity()
    assert (found.cpu_m, found.memory_ki, found.storage_ki) == (2000, 8388608, 1000)
    assert found.architecture == "arm64"


def test_marks_go_through_the_engine_and_back(place: Place) -> None:
    mark = Mark("demo-small-1", "small", Stage.FAILED, "no route")
    place.host.put(mark)
    words = place.docker.said[-1]
    assert words.startswith("docker volume create ")
    assert words.endswith(" demo-small-1.failed")
    text = words.removeprefix("docker volume create ").removesuffix(" demo-small-1.failed")
    labels = dict(each.strip().split("=", 1) for each in text.split("--label ") if each)
    place.docker.answer("docker volume ls", "demo-small-1.failed\n")
    place.docker.answer("docker volume inspect", json.dumps([{"Labels": labels}]))
    assert place.host.marks() == [mark]


def test_only_this_clusters_marks_are_asked_for(place: Place) -> None:
    assert place.host.marks() == []
    assert "--filter label=tidegate.nodes.cluster=demo" in place.docker.said[-1]


def test_a_mark_cleared_in_between_hides_no_other(place: Place) -> None:
    labels = {
        "tidegate.nodes.group": "small",
        "tidegate.nodes.node": "b",
        "tidegate.nodes.stage": "joined",
    }
    place.docker.answer("docker volume ls", "a.deleting\nb.joined\n")
    found = json.dumps([{"Labels": labels}])
    place.docker.answer("docker volume inspect", found, code=1, stderr="Error: No such volume: a.deleting")
    assert place.host.marks() == [Mark("b", "small", Stage.JOINED)]


def test_the_mark_of_a_removal_goes_last(place: Place) -> None:
    place.host.clear("a")
    ended = [words.rpartition(".")[2] for words in place.docker.said]
    assert ended == ["wanted", "joined", "failed", "deleting"]


def test_containers_tell_their_group(place: Place) -> None:
    place.docker.answer("docker ps --all", "demo-small-1\tsmall\ndemo-large-2\tlarge\n")
    assert place.host.containers() == {"demo-small-1": "small", "demo-large-2": "large"}


def test_a_container_that_is_gone_is_no_error(place: Place) -> None:
    place.docker.answer("docker rm", code=1, stderr="Error: No such container: demo-small-1")
    place.host.discard("demo-small-1")
    assert "delete node demo-small-1 --ignore-not-found" in place.docker.said[-1]


def test_a_container_that_stays_keeps_its_node(place: Place) -> None:
    place.docker.answer("docker rm", code=1, stderr="device or resource busy")
    with pytest.raises(TidegateError, match="device or resource busy"):
        place.host.discard("demo-small-1")
    assert not any("delete node" in words for words in place.docker.said)


def test_a_drain_that_does_not_end_is_no_error(place: Place) -> None:
    place.docker.answer(" drain ", code=1, stderr="global timeout reached")
    place.host.drain("demo-small-1")
    assert "drain demo-small-1 --ignore-daemonsets" in place.docker.said[-1]
