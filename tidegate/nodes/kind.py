"""The real half of `tidegate.nodes.host`: an engine with docker's commands, and a kind cluster in it.

A node is made as kind makes its own (kind v0.33.0, pkg/cluster/internal/providers/docker/provision.go): same
flags, and the image, mounts and environment of a worker that is there. Its labels put it under `kind get
nodes`, `kind load` and `kind delete cluster`. Pod routes need nothing: flannel, in host-gw mode, writes them
when the Node has its range of addresses.

kubectl and kubeadm are those of the control plane's own container: no client is needed on this machine, and
no credential leaves the cluster.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from tidegate.errors import TidegateError
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.host import Capacity
from tidegate.nodes.images import copy_missing, needed_at_once, of_use_later
from tidegate.nodes.join import (
    PATCH_FILE,
    PATCHES,
    Moments,
    invitation,
    join_configuration,
    kubelet_patch,
)
from tidegate.nodes.marks import ORDER, Mark, Stage
from tidegate.proc import Completed, run

CLUSTER_LABEL = "io.x-k8s.kind.cluster"
ROLE_LABEL = "io.x-k8s.kind.role"
MARK_CLUSTER = "tidegate.nodes.cluster"
"""Label of a mark; `infra.cluster` removes what carries it with the cluster."""
MARK_GROUP = "tidegate.nodes.group"
"""Label of a mark, and of a node's container."""
_MARK_NODE = "tidegate.nodes.node"
_MARK_STAGE = "tidegate.nodes.stage"
_MARK_NOTE = "tidegate.nodes.note"

_ADMIN = ("kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--request-timeout=20s")
_PODS = (
    *("get", "pods", "--all-namespaces", "-o"),
    'jsonpath={range .items[*]}{.metadata.ownerReferences[0].kind}{"\\t"}{.spec.nodeName}{"\\t"}'
    "{.spec.initContainers[*].image} {.spec.containers[*].image}"
    '{"\\n"}{end}',
)
"""A line a pod, as `needed_at_once` reads it."""
_CONFIG = "/etc/containerd/config.toml"
_KUBEADM_CONFIG = "/kind/kubeadm.conf"
_QUICK_S = 60
_JOIN_S = 180
_RUNTIME_WAIT_S = 60
_DRAIN_S = 60
_STAND_BACK_S = 1.0
_TOKEN_TTL = "15m"  # noqa: S105 - how long a token lives, not a token

Runner = Callable[..., Completed]


class KindHost:
    """Nodes of the kind cluster `cluster`.

    Args:
        cluster: its name.
        runner: runs a command; `tidegate.proc.run` but in tests.
        copy_images: gives the new node those of the named images that an old one has, both by name.
        sleep: waits so many seconds.
        clock: tells the unix time in seconds.
    """

    def __init__(
        self,
        cluster: str,
        *,
        runner: Runner = run,
        copy_images: Callable[[str, str, Collection[str]], None] = copy_missing,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.cluster = cluster
        self._run = runner
        self._copy_images = copy_images
        self._sleep = sleep
        self._clock = clock
        self._starting = 0
        self._counting = threading.Lock()

    def marks(self) -> list[Mark]:
        """Return all marks of the cluster's nodes; see `Host`."""
        mine = f"label={MARK_CLUSTER}={self.cluster}"
        names = self._docker("volume", "ls", "--quiet", "--filter", mine).split()
        if not names:
            return []
        # One may be cleared in between: then docker prints the others and fails.
        answer = self._run(["docker", "volume", "inspect", *names], timeout_s=_QUICK_S, check=False)
        volumes = cast("list[dict[str, Any]]", json.loads(answer.stdout or "[]"))
        return [_mark(cast("dict[str, str]", each["Labels"])) for each in volumes]

    def put(self, mark: Mark) -> None:
        """Make a mark; see `Host`."""
        told = {
            MARK_CLUSTER: self.cluster,
            MARK_GROUP: mark.group,
            _MARK_NODE: mark.node,
            _MARK_STAGE: mark.stage,
            _MARK_NOTE: mark.note,
        }
        words = [word for key, value in told.items() if value for word in ("--label", f"{key}={value}")]
        self._docker("volume", "create", *words, _volume(mark.node, mark.stage))

    def clear(self, node: str) -> None:
        """Take away all marks of a node; see `Host`."""
        for stage in ORDER:
            self._docker("volume", "rm", "--force", _volume(node, stage))

    def containers(self) -> dict[str, str]:
        """Return node name to group; see `Host`."""
        shape = f'{{{{.Names}}}}\t{{{{.Label "{MARK_GROUP}"}}}}'
        mine = ["--filter", f"label={CLUSTER_LABEL}={self.cluster}", "--filter", f"label={MARK_GROUP}"]
        lines = self._docker("ps", "--all", *mine, "--format", shape).splitlines()
        return {name: group for name, _, group in (line.partition("\t") for line in lines if line)}

    def start(self, node: str, group: NodeGroup) -> None:
        """Make the node and let it join; see `Host`.

        Raises:
            TooSmall: the machine is smaller than the group's nodes.
            TidegateError: the engine, containerd or kubeadm refused.
        """
        with self._counting:
            self._starting += 1
        try:
            self._start(node, group)
        finally:
            with self._counting:
                self._starting -= 1

    def stock(self, node: str, go_on: Callable[[], bool]) -> None:
        """Copy the images that were not needed at once; see `Host`.

        Nodes that are being made go first: copying takes disk and cores from them.
        """
        for image in of_use_later(self._pods()):
            while self._starting and go_on():
                self._sleep(_STAND_BACK_S)
            if not go_on():
                return
            self._copy_images(self._peer(), node, {image})

    def discard(self, node: str) -> None:
        """Remove the node's container, with its volumes, and its Node object; see `Host`."""
        # The container first: a kubelet that still runs could register again.
        answer = self._run(
            ["docker", "rm", "--force", "--volumes", node], timeout_s=_QUICK_S * 2, check=False
        )
        if answer.returncode != 0 and "no such container" not in answer.stderr.lower():
            raise TidegateError(f"the container {node} cannot be removed: {_last(answer.stderr)}")
        self._exec(self._control(), *_ADMIN, "delete", "node", node, "--ignore-not-found", "--wait=false")

    def drain(self, node: str) -> None:
        """Cordon the node and evict what is there, budgets respected, for a minute at most; see `Host`."""
        words = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", f"--timeout={_DRAIN_S}s")
        cmd = ["docker", "exec", self._control(), *_ADMIN, "drain", node, *words]
        self._run(cmd, timeout_s=_DRAIN_S * 2, check=False)

    def capacity(self) -> Capacity:
        """Return what the control plane's Node reports, which on kind is the whole machine; see `Host`."""
        control = self._control()
        document = json.loads(self._exec(control, *_ADMIN, "get", "node", control, "-o", "json"))
        status = document["status"]
        has: dict[str, str] = status["capacity"]
        # The kubelet writes whole cores, and sizes in Ki (kubelet/cadvisor/util.go, CapacityFromMachineInfo).
        return Capacity(
            cpu_m=int(has["cpu"]) * 1000,
            memory_ki=int(has["memory"].removesuffix("Ki")),
            storage_ki=int(has["ephemeral-storage"].removesuffix("Ki")),
            architecture=str(status["nodeInfo"]["architecture"]),
        )

    def _join(self, node: str, group: NodeGroup, reserve: str, begun_s: float) -> None:
        moments = Moments(begun_s, self._clock())
        address = self._docker(
            "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}\n{{end}}", node
        ).split()[0]
        control = self._control()
        token = ("kubeadm", "token", "create", "--ttl", _TOKEN_TTL, "--print-join-command")
        invited = invitation(self._exec(control, *token))
        self._exec(node, "mkdir", "-p", PATCHES)
        self._write(node, PATCH_FILE, reserve)
        told = join_configuration(self.cluster, node, group, address, invited, moments)
        self._write(node, _KUBEADM_CONFIG, told)
        try:
            self._exec(node, "kubeadm", "join", "--config", _KUBEADM_CONFIG, timeout_s=_JOIN_S)
        finally:
            answer = ("kubeadm", "token", "delete", invited.token.partition(".")[0])
            self._run(["docker", "exec", control, *answer], timeout_s=_QUICK_S, check=False)

    def _wait_for_runtime(self, node: str) -> None:
        ask = ["docker", "exec", node, "crictl", "info"]
        for _ in range(_RUNTIME_WAIT_S):
            if self._run(ask, timeout_s=_QUICK_S, check=False).returncode == 0:
                return
            self._sleep(1)
        raise TidegateError(f"containerd in {node} did not answer within {_RUNTIME_WAIT_S} s")

    def _control(self) -> str:
        return f"{self.cluster}-control-plane"

    def _peer(self) -> str:
        """Return a worker that kind itself made: what it has, a new node shall have."""
        shape = f'{{{{.Names}}}}\t{{{{.Label "{MARK_GROUP}"}}}}'
        mine = ["--filter", f"label={CLUSTER_LABEL}={self.cluster}", "--filter", f"label={ROLE_LABEL}=worker"]
        lines = self._docker("ps", *mine, "--format", shape).splitlines()
        first = sorted(name for name, _, group in (line.partition("\t") for line in lines) if not group)
        if not first:
            raise TidegateError(f"the cluster {self.cluster} has no worker of its own that runs")
        return first[0]

    def _inspect(self, node: str) -> dict[str, Any]:
        return cast("list[dict[str, Any]]", json.loads(self._docker("inspect", node)))[0]

    def _write(self, node: str, path: str, text: str) -> None:
        cmd = ["docker", "exec", "--interactive", node, "cp", "/dev/stdin", path]
        self._run(cmd, input=text, timeout_s=_QUICK_S)

    def _start(self, node: str, group: NodeGroup) -> None:
        begun_s = self._clock()
        reserve = kubelet_patch(group, self.capacity())
        self.discard(node)
        peer = self._peer()
        self._docker(*_run_words(self.cluster, node, group, self._inspect(peer)), timeout_s=_JOIN_S)
        self._wait_for_runtime(node)
        # kind patched the peers' configuration after they started; only then it has our pod network.
        self._write(node, _CONFIG, self._exec(peer, "cat", _CONFIG))
        self._exec(node, "systemctl", "restart", "containerd")
        self._wait_for_runtime(node)
        self._copy_images(peer, node, needed_at_once(self._pods()))
        self._join(node, group, reserve, begun_s)

    def _pods(self) -> str:
        return self._exec(self._control(), *_ADMIN, *_PODS)

    def _exec(self, node: str, *words: str, timeout_s: float = _QUICK_S) -> str:
        return self._docker("exec", node, *words, timeout_s=timeout_s)

    def _docker(self, *words: str, timeout_s: float = _QUICK_S) -> str:
        return self._run(["docker", *words], timeout_s=timeout_s).stdout


def _run_words(cluster: str, node: str, group: NodeGroup, peer: dict[str, Any]) -> list[str]:
    """Return the words of `docker run` for `node`, made like `peer`, which is what docker inspect told."""
    made: dict[str, Any] = peer["Config"]
    host: dict[str, Any] = peer["HostConfig"]
    words = ["run", "--detach", "--tty", "--name", node, "--hostname", node]
    for key, value in {CLUSTER_LABEL: cluster, ROLE_LABEL: "worker", MARK_GROUP: group.name}.items():
        words += ["--label", f"{key}={value}"]
    words += ["--privileged", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
    words += ["--tmpfs", "/tmp", "--tmpfs", "/run", "--volume", "/var"]  # noqa: S108 - inside the node
    words += ["--restart=on-failure:1", "--init=false", "--cgroupns=private"]
    words += ["--net", str(host["NetworkMode"])]
    if host.get("UsernsMode"):
        words += ["--userns", str(host["UsernsMode"])]
    for bind in cast("Sequence[str]", host.get("Binds") or ()):
        if bind.partition(":")[0].startswith("/") and ":" in bind:
            words += ["--volume", bind]
    for device in cast("Sequence[dict[str, str]]", host.get("Devices") or ()):
        if device["PathOnHost"] == "/dev/fuse":
            words += ["--device", "/dev/fuse"]
    for entry in cast("Sequence[str]", made.get("Env") or ()):
        words += ["--env", entry]
    return [*words, str(made["Image"])]


def _volume(node: str, stage: str) -> str:
    return f"{node}.{stage}"


def _mark(labels: dict[str, str]) -> Mark:
    return Mark(
        labels[_MARK_NODE], labels[MARK_GROUP], Stage(labels[_MARK_STAGE]), labels.get(_MARK_NOTE, "")
    )


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
