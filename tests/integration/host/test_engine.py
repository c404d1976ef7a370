"""A real engine of our own, beside whatever else runs on this machine.

Here it writes no firewall rules and has a bridge of its own, so that no other engine is disturbed; the rules
are tested in a network namespace, in `test_firewall.py`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host.capabilities import CAP_SYS_RESOURCE, lacks_sys_resource
from tidegate.host.daemon.config import BOUNDED
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.links import bridges, network_bridges
from tidegate.host.daemon.owned import owned
from tidegate.host.daemon.processes import Process, alive, arguments, descendants, end, matching
from tidegate.host.daemon.record import read_record
from tidegate.host.engine import Engine, EngineSettings, find_engine, start_engine, stop_engine

pytestmark = pytest.mark.integration

FIXED = ("/etc/docker", "/etc/docker/key.json", "/run/containerd", "/run/containerd/s", "/run/docker")
SETTINGS = EngineSettings(iptables=False, bridge="tgtest0", bip="10.213.77.1/24", shutdown_timeout_s=2)


@dataclass
class Traces:
    """What our engine has put on the machine. Others come and go meanwhile, so only its own things count."""

    layout: Layout
    names: set[str] = field(default_factory=lambda: {"tgtest0"})
    containers: set[str] = field(default_factory=set[str])
    folders: set[str] = field(default_factory=lambda: {path for path in FIXED if Path(path).exists()})

    def note(self, engine: Engine) -> None:
        """Remember what it has now, to know it again."""
        self.names |= network_bridges(self.layout.data)
        self.containers |= set(docker(engine, "ps", "--all", "--quiet", "--no-trunc").split())

    def left(self) -> list[str]:
        """What is there now."""
        mounts = (line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines())
        rules = subprocess.run(
            ["iptables-save"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        ours = (str(self.layout.root), str(self.layout.run))
        found = [point for point in mounts if point.startswith(ours)]
        found += sorted(self.names & set(bridges()))
        found += [line for line in rules.splitlines() if any(name in line for name in self.names)]
        found += [str(g) for each in self.containers for g in Path("/sys/fs/cgroup").glob(f"*/docker/{each}")]
        found += [path for path in FIXED if Path(path).exists() and path not in self.folders]
        found += [
            " ".join(arguments(each.pid)) for each in (*owned(self.layout).dockerd, *owned(self.layout).shims)
        ]
        return found + [str(each.pid) for each in owned(self.layout).containerd]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    stop_engine(state=tmp_path, remove_data=True)


@pytest.fixture
def layout(state: Path) -> Layout:
    return Layout.of(state)


def docker(engine: Engine, *words: str) -> str:
    env = {**os.environ, **engine.env()}
    done = subprocess.run(
        ["docker", *words], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def containers_processes(layout: Layout) -> list[Process]:
    return descendants(owned(layout).shims)


def killed(processes: list[Process]) -> None:
    for each in processes:
        os.kill(each.pid, signal.SIGKILL)
    while any(alive(each) for each in processes):
        pass


def start_with_container(state: Path, root_file_system: Path) -> Engine:
    engine = start_engine(SETTINGS, state=state)
    if not docker(engine, "images", "--quiet", "probe"):
        docker(engine, "import", str(root_file_system), "probe")
    docker(engine, "network", "create", "net")
    run = ["run", "--detach", "--stop-timeout=1", "--privileged", "--network=net", "--name=waits"]
    docker(engine, *run, "probe", "/program", "wait")
    return engine


def test_starts_runs_privileged_containers_and_leaves_nothing(
    state: Path, layout: Layout, root_file_system: Path
) -> None:
    traces = Traces(layout)
    engine = start_with_container(state, root_file_system)
    traces.note(engine)
    assert engine.ours
    assert engine.host == layout.host
    assert find_engine(state, env={}) == engine
    assert start_engine(SETTINGS, state=state) == engine
    assert engine.runs_privileged() is True
    pid = engine.daemon_pid()
    record = read_record(layout.record)
    assert record is not None
    assert record.dockerd_pid == pid
    assert pid is not None
    assert os.getsid(pid) == pid, "it would end with this terminal"

    info = engine.info()
    assert info.data_root == str(layout.data)
    bounded = lacks_sys_resource() is True
    assert info.default_runtime == (BOUNDED if bounded else "runc")
    for words in (
        ["run", "--rm", "--privileged", "probe", "/program"],
        ["exec", "--privileged", "waits", "/program"],
    ):
        capabilities = int(docker(engine, *words).split()[1], 16)
        assert capabilities & (1 << 21), "CAP_SYS_ADMIN is missing: not privileged"
        assert bool(capabilities & (1 << CAP_SYS_RESOURCE)) is not bounded

    inside = containers_processes(layout)
    assert inside
    stopped = stop_engine(state=state)
    assert stopped.was_running
    assert not stopped.crashed
    assert "tgtest0" in stopped.bridges
    assert len(stopped.bridges) == 2, "the network's bridge is left"
    assert not owned(layout)
    assert not any(alive(each) for each in inside)
    assert traces.left() == []
    assert not layout.record.exists()
    assert not layout.exec_root.exists()
    assert layout.data.is_dir()

    again = start_engine(SETTINGS, state=state)
    assert "probe" in docker(again, "images", "--format", "{{.Repository}}")
    assert stop_engine(state=state, remove_data=True).data_removed
    assert not layout.root.exists()
    assert traces.left() == []


def test_survives_the_process_that_started_it(state: Path, layout: Layout) -> None:
    code = (
        "from pathlib import Path; from tidegate.host.engine import start_engine, EngineSettings\n"
        f"settings = EngineSettings.model_validate_json({SETTINGS.model_dump_json()!r})\n"
        f"start_engine(settings, state=Path({str(state)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, start_new_session=True)
    engine = find_engine(state, env={})
    assert engine is not None
    assert engine.ours
    assert docker(engine, "info", "--format", "{{.DockerRootDir}}") == str(layout.data)


def test_starts_again_after_dockerd_was_killed(state: Path, layout: Layout, root_file_system: Path) -> None:
    traces = Traces(layout)
    engine = start_with_container(state, root_file_system)
    traces.note(engine)
    inside = containers_processes(layout)
    killed(owned(layout).dockerd)
    assert layout.pid_file.exists()
    assert all(alive(each) for each in inside), "the crash took the containers along: the test shows nothing"
    assert find_engine(state, env={"DOCKER_HOST": layout.host}) is None

    engine = start_engine(SETTINGS, state=state)
    assert docker(engine, "ps", "--all", "--format", "{{.Names}}") == "waits"
    assert not any(alive(each) for each in inside)
    stop_engine(state=state, remove_data=True)
    assert traces.left() == []


def test_stops_what_a_crash_of_both_daemons_left(state: Path, layout: Layout, root_file_system: Path) -> None:
    traces = Traces(layout)
    engine = start_with_container(state, root_file_system)
    traces.note(engine)
    inside = containers_processes(layout)
    running = owned(layout)
    killed([*running.dockerd, *running.containerd])
    assert traces.left()
    assert all(alive(each) for each in inside)

    stopped = stop_engine(state=state)
    assert stopped.crashed
    assert not any(alive(each) for each in inside)
    assert not owned(layout)
    assert traces.left() == []
    engine = start_engine(SETTINGS, state=state)
    assert docker(engine, "ps", "--all", "--format", "{{.Names}}") == "waits"


def test_a_stale_pid_file_of_a_stranger_is_no_hindrance(state: Path, layout: Layout) -> None:
    layout.root.mkdir(parents=True)
    layout.pid_file.write_text(str(os.getpid()))
    layout.record.write_text("{torn")
    engine = start_engine(SETTINGS, state=state)
    assert layout.pid_file.read_text().strip() == str(engine.daemon_pid())


def test_a_failure_is_told_in_one_line_and_leaves_nothing(state: Path, layout: Layout) -> None:
    traces = Traces(layout)
    layout.data.mkdir(parents=True)
    (layout.data / "image").write_text("a file where dockerd wants a folder")
    with pytest.raises(TidegateError, match=r"dockerd ended at once: .*image.*not a directory") as caught:
        start_engine(SETTINGS, state=state)
    assert "\n" not in str(caught.value)
    assert str(layout.log) in str(caught.value)
    assert not owned(layout)
    assert traces.left() == []
    (layout.data / "image").unlink()
    assert start_engine(SETTINGS, state=state).ours


def test_an_interrupted_start_leaves_nothing(state: Path, layout: Layout) -> None:
    """Ctrl-C while containerd is being waited for."""
    traces = Traces(layout)
    code = (
        "import os, signal; from pathlib import Path\n"
        "from tidegate.host.daemon import start\n"
        "from tidegate.host.engine import start_engine, EngineSettings\n"
        "listens = start._listens\n"
        "start._listens = lambda path: listens(path) and os.kill(os.getpid(), signal.SIGINT)\n"
        f"settings = EngineSettings.model_validate_json({SETTINGS.model_dump_json()!r})\n"
        f"start_engine(settings, state=Path({str(state)!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, timeout=120, capture_output=True, text=True
    )
    assert "KeyboardInterrupt" in done.stderr
    assert not owned(layout)
    assert traces.left() == []


def test_two_engines_with_firewall_rules_are_refused(state: Path, layout: Layout, tmp_path: Path) -> None:
    start_engine(SETTINGS, state=state)
    with pytest.raises(TidegateError, match="another container engine runs here"):
        start_engine(EngineSettings(), state=tmp_path / "second")
    assert not (tmp_path / "second").exists()
    assert len(matching("dockerd", lambda words: str(tmp_path) in " ".join(words))) == 1


def test_a_deaf_engine_is_replaced(state: Path, layout: Layout) -> None:
    """dockerd hangs: its process is there, its socket is not."""
    start_engine(SETTINGS, state=state)
    old = owned(layout).dockerd
    layout.socket.unlink()
    engine = start_engine(SETTINGS, state=state)
    assert not alive(old[0])
    assert engine.daemon_pid() != old[0].pid
    assert end(old, grace_s=0.1) == []
