"""Make, look at and remove one kind cluster of our own."""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from infra.cluster import docker, record
from infra.cluster.config import adapt, cni_template
from infra.cluster.host import detect
from infra.cluster.ports import require_free
from infra.cluster.record import Record
from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir, kubeconfig_path
from tidegate.nodes.process import stop as stop_node_server
from tidegate.proc import run

_CREATE_TIMEOUT_S = 900
_DELETE_TIMEOUT_S = 180
_READY_WAIT_S = 180


class Presence(Enum):
    """What is left of a cluster that was made."""

    RUNNING = "running"
    STOPPED = "stopped"
    GONE = "gone"


@dataclass(frozen=True)
class Made:
    """A cluster that is up.

    Args:
        token: its identity; a cluster made again under the same name has another.
        kubeconfig: text of its own kubeconfig, with client key.
        containers: node name to container id.
        workers: names of the nodes that take ordinary pods.
    """

    token: str
    kubeconfig: str
    containers: dict[str, str]
    workers: tuple[str, ...]


def network_name(name: str) -> str:
    """Return the name of the cluster's own container network."""
    return f"tidegate-{name}"


def cni_template_path(name: str) -> Path:
    """Return where the pod network template lies that the nodes of cluster `name` mount."""
    return cluster_dir(name) / "cni.template.json"


def create(name: str, config: str, owner: str) -> Made:
    """Make the cluster `name` from the kind configuration `config`, for the stack `owner`.

    What the same stack has under that name is cleaned away first, be it half-made or made from another
    configuration; if it is whole and from the same configuration, and Pulumi forgot it, it is taken back.

    Raises:
        TidegateError: somebody else's cluster or network has the name, a port is taken, or kind failed (its
            output is kept in the cluster's folder).
    """
    traits = detect()
    known = record.load(name)
    found = docker.cluster_containers(name)
    if _is_whole(known, found, config, owner):
        assert known is not None  # noqa: S101 - narrows the type; _is_whole looked
        start(name)
        return _made(name, known)
    _require_ours(name, known, found, owner)
    _remove(name, known)
    require_free(config)
    fresh = Record(owner=owner, token=secrets.token_hex(8), config=config)
    fresh.save(name)
    cni_template_path(name).write_text(cni_template(), encoding="utf-8")
    config_file = cluster_dir(name) / "kind.yaml"
    config_file.write_text(adapt(config, traits), encoding="utf-8")
    docker.create_network(network_name(name), fresh.token)
    try:
        _kind_create(name, config_file)
    except TidegateError:
        _remove(name, fresh, keep_log=True)
        raise
    done = fresh.finished({each.name: each.id for each in docker.cluster_containers(name)})
    done.save(name)
    return _made(name, done)


def presence(name: str, containers: Mapping[str, str]) -> Presence:
    """Tell what is left of the cluster whose node containers were `containers` (name to id).

    Nodes added later do not count. A cluster that lost one of its first nodes counts as gone: it is not what
    was asked for, and making it anew is the only repair.
    """
    left = {each.id for each in docker.cluster_containers(name)}
    if not containers or not left.issuperset(containers.values()):
        return Presence.GONE
    cmd = ["docker", "inspect", "--format", "{{.State.Running}}", *containers.values()]
    states = run(cmd, env=docker.tool_env(), timeout_s=60).stdout.split()
    return Presence.RUNNING if set(states) == {"true"} else Presence.STOPPED


def start(name: str) -> None:
    """Start the nodes of cluster `name`, as after a restart of the machine, and wait until its API answers.

    Raises:
        TidegateError: it does not within three minutes.
    """
    nodes = docker.cluster_containers(name)
    run(["docker", "start", *(each.id for each in nodes)], env=docker.tool_env(), timeout_s=120)
    control = next(each.id for each in nodes if each.role == "control-plane")
    kubectl = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--request-timeout=5s"]
    ask = ["docker", "exec", control, *kubectl, "get", "--raw", "/readyz"]
    deadline = time.monotonic() + _READY_WAIT_S
    while True:
        answer = run(ask, env=docker.tool_env(), timeout_s=60, check=False)
        if answer.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise TidegateError(
                f"the API server of cluster {name} did not come back",
                where=(answer.stderr.strip().splitlines() or ["no answer"])[-1],
                cure="run `tidegate down`, then `tidegate up`",
            )
        time.sleep(1)


def adopt(name: str, owner: str) -> None:
    """Start the nodes of cluster `name` and put it down as the stack `owner`'s, which was renamed."""
    start(name)
    known = record.load(name)
    if known is not None and known.owner != owner:
        replace(known, owner=owner).save(name)


def refuse_new_name(old: str, new: str) -> None:
    """Say that a cluster cannot be renamed: the new one would need the old one's port while both exist.

    Raises:
        TidegateError: always.
    """
    what = f"the cluster {old} cannot become {new}"
    cure = "run `tidegate down` with the old name first"
    raise TidegateError(what, where="tidegate:cluster name", cure=cure)


def delete(name: str, token: str) -> None:
    """Remove the cluster `name` made with `token`: nodes, their volumes, network, kubeconfig, folder.

    Doing it twice is no error. A cluster of that name that we did not make stays.
    """
    known = record.load(name)
    if known is None or known.token != token:
        if docker.network_owner(network_name(name)) != token:
            return
        # The folder was lost, but the network still says that the cluster is ours.
        known = Record(owner="", token=token, config="")
    _remove(name, known)


def _is_whole(known: Record | None, found: list[docker.Container], config: str, owner: str) -> bool:
    if known is None or not known.containers or (known.owner, known.config) != (owner, config):
        return False
    return {each.id for each in found}.issuperset(known.containers.values())


def _require_ours(name: str, known: Record | None, found: list[docker.Container], owner: str) -> None:
    cure = f"choose another tidegate:cluster name, or `kind delete cluster --name {name}`"
    network = network_name(name)
    token = docker.network_owner(network)
    if token is not None and (known is None or token != known.token):
        raise TidegateError(
            f"a container network named {network} exists that this stack did not make",
            cure=f"{cure} and `docker network rm {network}`",
        )
    if known is not None and known.owner != owner and found:
        raise TidegateError(f"the kind cluster {name} belongs to the stack {known.owner}", cure=cure)
    foreign = [each.name for each in found if not _ours(each, known, network)]
    if foreign:
        what = f"a kind cluster named {name} exists that this stack did not make"
        raise TidegateError(what, where=", ".join(foreign), cure=cure)


def _ours(container: docker.Container, known: Record | None, network: str) -> bool:
    return known is not None and (container.id in known.containers.values() or network in container.networks)


def _kind_create(name: str, config_file: Path) -> None:
    kubeconfig = kubeconfig_path(name)
    cmd = ["kind", "create", "cluster", "--name", name, "--config", config_file, "--kubeconfig", kubeconfig]
    env = docker.tool_env(KIND_EXPERIMENTAL_DOCKER_NETWORK=network_name(name))
    wait = ["--wait", f"{_READY_WAIT_S}s"]
    done = run([*cmd, *wait], env=env, timeout_s=_CREATE_TIMEOUT_S, check=False)
    if done.returncode == 0:
        return
    log = cluster_dir(name) / "create.log"
    log.write_text(done.stderr + done.stdout, encoding="utf-8")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    raise TidegateError(
        f"kind could not make the cluster {name}: {(errors or ['no reason given'])[0]}", where=str(log)
    )


def _remove(name: str, known: Record | None, *, keep_log: bool = False) -> None:
    """Remove all that belongs to the cluster; the caller has made sure that it is ours."""
    network = network_name(name)
    # It would go on adding nodes, and holds the folder's log.
    stop_node_server(name)
    containers = docker.cluster_containers(name)
    ours = known is not None and all(_ours(each, known, network) for each in containers)
    if containers and ours:
        cmd = ["kind", "delete", "cluster", "--name", name, "--kubeconfig", kubeconfig_path(name)]
        run(cmd, env=docker.tool_env(), timeout_s=_DELETE_TIMEOUT_S)
    if ours:
        docker.remove_marks(name)
    if known is not None and docker.network_owner(network) == known.token:
        docker.remove_network(network)
    folder = cluster_dir(name)
    if keep_log:
        for path in folder.glob("*"):
            if path.name != "create.log":
                path.unlink()
    elif known is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _made(name: str, finished: Record) -> Made:
    nodes = docker.cluster_containers(name)
    workers = tuple(
        sorted(each.name for each in nodes if each.name in finished.containers and each.role == "worker")
    )
    kubeconfig = kubeconfig_path(name).read_text(encoding="utf-8")
    return Made(finished.token, kubeconfig, finished.containers, workers)
