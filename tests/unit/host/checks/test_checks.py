"""Every judgement doctor makes, from what it would have read."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest

from tidegate.host.checks import kernel, network, ports, resources, system, tools
from tidegate.host.checks.engine import judge_engine, judge_privileged, version_numbers
from tidegate.host.endpoint import Endpoint
from tidegate.host.engine import Engine, Probe
from tidegate.host.engine_api import Container, EngineVersion
from tidegate.host.report import Outcome

OK, WARN, FAIL = Outcome.OK, Outcome.WARN, Outcome.FAIL


def engine(version: str) -> Engine:
    return Engine(Endpoint("unix:///s", "x"), EngineVersion.model_validate({"Version": version}))


@pytest.mark.parametrize(
    ("name", "machine", "outcome"),
    [
        ("Linux", "x86_64", OK),
        ("Linux", "aarch64", OK),
        ("Darwin", "arm64", WARN),
        ("Windows", "AMD64", FAIL),
        ("Linux", "riscv64", FAIL),
    ],
)
def test_platform(name: str, machine: str, outcome: Outcome) -> None:
    assert system.judge_platform(name, machine, "").outcome is outcome
    assert system.os_name('NAME="x"\nPRETTY_NAME="Some Linux 1"\n') == "Some Linux 1"


@pytest.mark.parametrize(
    ("root", "answers", "forbidden", "missing", "debian", "outcome", "cure"),
    [
        (False, True, "", [], False, OK, ""),
        (False, False, "unix:///s", [], True, FAIL, "group"),
        (False, False, "", [], True, FAIL, "run as root"),
        (True, False, "", [], False, OK, ""),
        (True, False, "", ["docker.io"], True, WARN, "tidegate up"),
        (True, False, "", ["docker.io"], False, FAIL, "install and start"),
    ],
)
def test_access(
    root: bool, answers: bool, forbidden: str, missing: list[str], debian: bool, outcome: Outcome, cure: str
) -> None:
    check = system.judge_access(
        root=root, answers=answers, forbidden=forbidden, missing=missing, debian=debian
    )
    assert check.outcome is outcome
    assert cure in check.cure


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("v1.36.3", (1, 36, 3)),
        ("27.0-rc1", (27, 0)),
        ("4.0.0~beta", (4, 0, 0)),
        ("dev", ()),
        ("", ()),
    ],
)
def test_version_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert version_numbers(version) == numbers


def test_engine() -> None:
    assert judge_engine([], engine("28.2.2"), "dockerd pid 3", []).outcome is OK
    assert "dockerd pid 3" in judge_engine([], engine("28.2.2"), "dockerd pid 3", []).found
    assert judge_engine([], engine("19.03.1"), "x", []).outcome is FAIL
    assert judge_engine([], None, "", []).outcome is WARN
    stranger = judge_engine([], None, "", [42])
    assert (stranger.outcome, "pid 42" in stranger.found) == (FAIL, True)
    demanded = Probe(Endpoint("tcp://h", "DOCKER_HOST", demanded=True), None, "nobody listens")
    assert "nobody listens" in judge_engine([demanded], None, "", []).found


@pytest.mark.parametrize(
    ("bounded", "runs", "answers", "ours", "outcome", "told"),
    [
        (False, True, True, False, OK, "can start"),
        (True, True, True, True, OK, "bounded runtime"),
        (True, False, True, False, FAIL, "start its own"),
        (True, False, True, True, FAIL, "engine stop"),
        (None, None, True, False, OK, "nothing speaks against"),
        (True, None, False, False, OK, "runtime that does without"),
        (False, None, False, False, OK, "capabilities"),
    ],
)
def test_privileged(
    bounded: bool | None, runs: bool | None, answers: bool, ours: bool, outcome: Outcome, told: str
) -> None:
    check = judge_privileged(bounded_here=bounded, runs=runs, answers=answers, ours=ours)
    assert check.outcome is outcome
    assert told in check.found + check.cure


V1 = "\n".join(
    f"3{i} 22 0:2{i} / /sys/fs/cgroup/{names} rw - cgroup cgroup rw,{names}"
    for i, names in enumerate(["cpu,cpuacct", "cpuset", "memory", "pids"])
)
V2 = "40 22 0:40 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate"
ALL = "cpuset cpu io memory hugetlb pids"


@pytest.mark.parametrize(
    ("mountinfo", "unified", "version", "outcome"),
    [
        (V2, ALL, 2, OK),
        (V2, "cpu io", 2, FAIL),
        (V1, "", 1, WARN),
        (f"{V1}\n{V2}", "", 1, WARN),
        (f"{V2}\n50 22 0:50 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd", ALL, 2, OK),
        ("22 1 8:1 / / rw - ext4 /dev/sda rw", "", 0, FAIL),
        ("", "", 0, FAIL),
    ],
)
def test_cgroup(mountinfo: str, unified: str, version: int, outcome: Outcome) -> None:
    found, controllers = kernel.cgroup_controllers(mountinfo, unified)
    assert found == version
    assert kernel.judge_cgroup(found, controllers).outcome is outcome


def test_missing_controllers_are_named() -> None:
    assert "cpuset, memory" in kernel.judge_cgroup(2, {"cpu", "pids"}).found


def test_inotify() -> None:
    assert kernel.judge_inotify(512, 524_288).outcome is OK
    few = kernel.judge_inotify(128, 1_000_000)
    assert few.outcome is WARN
    assert "fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=1000000" in few.cure


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("CONFIG_NO_SUCH=m\n", True),
        ("CONFIG_NO_SUCH=y\n", True),
        ("# CONFIG_NO_SUCH is not set\nCONFIG_NO_SUCH_X=y\n", False),
    ],
)
def test_kernel_option_from_the_kernels_own_configuration(tmp_path: Path, text: str, there: bool) -> None:
    (tmp_path / "config.gz").write_bytes(gzip.compress(text.encode()))
    assert kernel.kernel_option("CONFIG_NO_SUCH", "no_such_module", proc=tmp_path) is there


@pytest.mark.parametrize(
    ("here", "elsewhere", "outcome"),
    [(8, 0, OK), (8, 2, WARN), (2, 0, WARN), (1, 0, FAIL), (8, 1, FAIL), (4, 4, OK)],
)
def test_cpu(here: int, elsewhere: int, outcome: Outcome) -> None:
    assert resources.judge_cpu(here, elsewhere).outcome is outcome


def test_memory() -> None:
    assert resources.memory_available_bytes("MemTotal: 9 kB\nMemAvailable:  2048 kB\n") == 2048 * 1024
    assert resources.memory_available_bytes("MemTotal: 9 kB\n") is None
    gib = resources.GIB
    assert resources.judge_memory(6 * gib, cluster_runs=False).outcome is OK
    assert resources.judge_memory(5 * gib, cluster_runs=False).outcome is WARN
    assert resources.judge_memory(3 * gib, cluster_runs=False).outcome is FAIL
    assert resources.judge_memory(1 * gib, cluster_runs=True).outcome is OK


@pytest.mark.parametrize(
    ("free_gb", "cold", "registry", "outcome"),
    [
        (9, False, None, FAIL),
        (11, False, None, OK),
        (31, True, False, OK),
        (29, True, False, FAIL),
        (29, True, None, FAIL),
        (29, True, True, WARN),
    ],
)
def test_disk(free_gb: float, cold: bool, registry: bool | None, outcome: Outcome) -> None:
    assert resources.judge_disk(free_gb, "cache", cold=cold, registry=registry).outcome is outcome


def test_places_on_one_file_system_are_one(tmp_path: Path) -> None:
    places = {"cache": tmp_path / "not/yet", "engine": tmp_path, "proc": Path("/proc")}
    assert resources.by_file_system(places) == [("cache and engine", tmp_path), ("proc", Path("/proc"))]


def test_a_listening_port_is_taken_and_its_holder_named() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        assert ports.is_free(port) is False
        server.listen()
        assert ports.is_free(port) is False
        assert ports.listener(port).endswith(f"pid {os.getpid()}")
    assert ports.is_free(port) is True
    assert ports.listener(port) == ""


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0
"""


def test_only_listening_sockets_hold_a_port() -> None:
    assert ports.listening_inodes(TCP, 8080) == {"4711"}
    assert ports.listening_inodes(TCP, 8081) == set()


def test_port() -> None:
    published = {"IP": "127.0.0.1", "PrivatePort": 1, "PublicPort": 8080}
    node = Container.model_validate({"Names": ["/tidegate-control-plane"], "Ports": [published]})
    assert ports.published_by([node], 8080) == "tidegate-control-plane"
    assert ports.published_by([node], 1) == ""
    assert ports.judge_port("p", 8080, free=False, node="tidegate-control-plane", holder="x").outcome is OK
    assert ports.judge_port("p", 8080, free=True, node="", holder="").outcome is OK
    taken = ports.judge_port("p", 8080, free=False, node="", holder="nginx, pid 3")
    assert (taken.outcome, "nginx, pid 3" in taken.found) == (FAIL, True)
    assert ports.judge_port("p", 80, free=None, node="", holder="").outcome is WARN


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("Docker version 28.2.2, build e6534b4", "28.2.2"),
        ("kind v0.33.0 go1.26.8 linux/amd64", "0.33.0"),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.0", "1.36.3"),
        ("v4.3.1+gabcdef0", "4.3.1+gabcdef0"),
        ("go version go1.26.8 linux/amd64", "1.26.8"),
        ("git version 2.39.5", "2.39.5"),
        ("error: unknown", ""),
    ],
)
def test_versions_in_what_programs_print(output: str, version: str) -> None:
    assert tools.find_version(output) == version


def test_tool() -> None:
    tool = tools.Tool("kind", ("version",), (0, 30), "get it")
    assert tools.judge_tool(tool, "/b/kind", "kind v0.33.0").outcome is OK
    assert tools.judge_tool(tool, "/b/kind", "kind v0.29.9").outcome is WARN
    assert "older than 0.30" in tools.judge_tool(tool, "/b/kind", "kind v0.29.9").found
    assert tools.judge_tool(tool, "/b/kind", "").outcome is WARN
    assert tools.judge_tool(tool, None, "").cure == "get it"
    silent = tools.Tool("x", None, (), "get it")
    assert tools.judge_tool(silent, "/b/x", "").outcome is OK


def test_the_plugin_must_have_the_sdks_version(tmp_path: Path) -> None:
    folders = tools.plugin_folders({"PULUMI_HOME": "/told"}, home=tmp_path, state=tmp_path / "state")
    assert folders == [Path("/told/plugins"), tmp_path / "state/pulumi/plugins", tmp_path / ".pulumi/plugins"]
    plugin = folders[1] / "resource-kubernetes-v4.25.0"
    plugin.mkdir(parents=True)
    assert tools.judge_plugin("4.25.0", folders).outcome is WARN
    (plugin / "pulumi-resource-kubernetes").write_text("")
    assert tools.judge_plugin("4.25.0", folders).outcome is OK
    assert tools.judge_plugin("4.26.0", folders).outcome is WARN


def test_registries() -> None:
    assert network.judge_image_registry(True).outcome is OK
    assert network.judge_image_registry(None).outcome is OK
    assert network.judge_image_registry(False).outcome is WARN
    address = "https://user:secret@mirror.example:8443/simple"
    assert network.judge_packages("x", None, False, needed=True).outcome is OK
    assert network.judge_packages("x", address, True, needed=True).found == "mirror.example answers"
    assert network.judge_packages("x", address, False, needed=False).outcome is WARN
    failed = network.judge_packages("x", address, False, needed=True)
    assert failed.outcome is FAIL
    assert "secret" not in failed.found
