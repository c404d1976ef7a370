"""The few questions and commands that the cluster layer has for the container engine."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir
from tidegate.nodes.kind import MARK_CLUSTER
from tidegate.proc import run

KIND_CLUSTER_LABEL = "io.x-k8s.kind.cluster"
KIND_ROLE_LABEL = "io.x-k8s.kind.role"
OWNER_LABEL = "tidegate.owner"
"""Label on a cluster's network whose value is the token in the cluster's record."""


@dataclass(frozen=True)
class Container:
    """One container that carries kind's label for a cluster; `role` is kind's word, such as `worker`."""

    id: str
    name: str
    role: str
    networks: tuple[str, ...]


def tool_env(**extra: str) -> dict[str, str]:
    """Return this process's environment with the kit's tools first on PATH, and `extra` added."""
    env = dict(os.environ)
    env["PATH"] = os.pathsep.join(filter(None, (str(bin_dir()), env.get("PATH", ""))))
    return env | extra


def cgroup_version() -> str:
    """Return `1` or `2`, the cgroup hierarchy that the engine's containers live in.

    Raises:
        TidegateError: the engine does not answer.
    """
    answer = run(
        ["docker", "info", "--format", "{{.CgroupVersion}}"], env=tool_env(), timeout_s=60, check=False
    )
    version = answer.stdout.strip()
    if answer.returncode != 0 or not version:
        lines = answer.stderr.strip().splitlines()
        raise TidegateError(
            "the container engine does not answer",
            where=lines[-1] if lines else "docker",
            cure="run `tidegate doctor`",
        )
    return version


def cluster_containers(name: str) -> list[Container]:
    """Return all containers, running or not, that kind counts to the cluster `name`."""
    shape = f'{{{{.ID}}}}\t{{{{.Names}}}}\t{{{{.Label "{KIND_ROLE_LABEL}"}}}}\t{{{{.Networks}}}}'
    label = f"label={KIND_CLUSTER_LABEL}={name}"
    cmd = ["docker", "ps", "--all", "--no-trunc", "--filter", label, "--format", shape]
    rows = (line.split("\t") for line in run(cmd, env=tool_env(), timeout_s=60).stdout.splitlines() if line)
    return [Container(id_, name_, role, tuple(networks.split(","))) for id_, name_, role, networks in rows]


def network_owner(network: str) -> str | None:
    """Return the owner's token on `network`: empty if it has none, None if there is no such network."""
    shape = f'{{{{.Name}}}}\t{{{{index .Labels "{OWNER_LABEL}"}}}}'
    cmd = ["docker", "network", "inspect", network, "--format", shape]
    answer = run(cmd, env=tool_env(), timeout_s=60, check=False)
    if answer.returncode != 0:
        if "no such network" in answer.stderr.lower() or "not found" in answer.stderr.lower():
            return None
        raise TidegateError(f"the network {network} cannot be inspected: {answer.stderr.strip()}")
    return answer.stdout.strip("\n").partition("\t")[2]


def create_network(network: str, owner: str) -> None:
    """Create a bridge network as kind would, but marked with `owner`; kind uses a network that exists."""
    mtu_key = "com.docker.network.driver.mtu"
    shape = f'{{{{index .Options "{mtu_key}"}}}}'
    # Clouds with a small MTU set it on the engine's default network only.
    mtu = run(
        ["docker", "network", "inspect", "bridge", "--format", shape], env=tool_env(), check=False
    ).stdout.strip()
    options = ["--opt", "com.docker.network.bridge.enable_ip_masquerade=true"]
    if mtu.isdigit():
        options += ["--opt", f"{mtu_key}={mtu}"]
    cmd = ["docker", "network", "create", "--driver", "bridge", *options]
    run([*cmd, "--label", f"{OWNER_LABEL}={owner}", network], env=tool_env(), timeout_s=60)


def gateway_address(network: str) -> str:
    """Return this machine's IPv4 address on `network`, as the engine knows it.

    Raises:
        TidegateError: there is no such network, or it has no such address.
    """
    shape = "{{range .IPAM.Config}}{{println .Gateway}}{{end}}"
    cmd = ["docker", "network", "inspect", network, "--format", shape]
    found = run(cmd, env=tool_env(), timeout_s=60).stdout.split()
    first = next((each for each in found if ":" not in each), None)
    if first is None:
        raise TidegateError(f"the network {network} has no IPv4 gateway")
    return first


def remove_network(network: str) -> None:
    """Remove `network`; it must have no containers left."""
    run(["docker", "network", "rm", network], env=tool_env(), timeout_s=60)


def remove_marks(cluster: str) -> None:
    """Remove what `tidegate.nodes` wrote down about nodes that it added to `cluster`."""
    mine = f"label={MARK_CLUSTER}={cluster}"
    cmd = ["docker", "volume", "ls", "--quiet", "--filter", mine]
    names = run(cmd, env=tool_env(), timeout_s=60).stdout.split()
    if names:
        run(["docker", "volume", "rm", "--force", *names], env=tool_env(), timeout_s=60)
