"""A real engine that writes firewall rules, in a network namespace of its own where it disturbs nobody."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from tidegate.host.engine import stop_engine

pytestmark = pytest.mark.integration

DRIVER = """
import json, os, re, signal, subprocess, sys, time
from pathlib import Path
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.links import bridges
from tidegate.host.daemon.owned import owned
from tidegate.host.daemon.processes import alive
from tidegate.host.engine import EngineSettings, start_engine, stop_engine

state, image, how = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def sh(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout

def rules():
    kept = [line for line in (sh("iptables-save") + sh("ip6tables-save")).splitlines() if line[0] != "#"]
    return [re.sub(r" \\[\\d+:\\d+\\]$", "", line) for line in kept]

def docker(engine, *words):
    env = {**os.environ, **engine.env()}
    return subprocess.run(["docker", *words], env=env, check=True, capture_output=True)

def kill(processes):
    for each in processes:
        os.kill(each.pid, signal.SIGKILL)
    while any(alive(each) for each in processes):
        time.sleep(0.01)

sh("ip", "link", "set", "lo", "up")
# The tables exist and hold a rule of somebody's before the engine comes.
comment = ["-m", "comment", "--comment", "not the engine's"]
sh("iptables", "-A", "FORWARD", "-i", "lo", *comment, "-j", "ACCEPT")
sh("iptables", "-t", "nat", "-N", "DOCKER-OF-OTHERS")
for program in ("iptables", "ip6tables"):
    for table in ("filter", "nat", "raw"):
        sh(program, "-t", table, "-L", "-n")
before = rules()
settings = EngineSettings(shutdown_timeout_s=2, bip="10.213.78.1/24")
engine = start_engine(settings, state=state)
docker(engine, "import", image, "probe")
docker(engine, "network", "create", "net")
run = ["run", "--detach", "--stop-timeout=1"]
docker(engine, *run, "--publish=127.0.0.1:18080:80", "--network=net", "probe", "/program", "wait")
docker(engine, *run, "--publish=18081:80", "probe", "/program", "wait")
during, bridges_during = rules(), sorted(bridges())
layout = Layout.of(state)
if how == "crash":
    running = owned(layout)
    kill([*running.dockerd, *running.containerd])
elif how == "crash and start":
    kill(owned(layout).dockerd)
    start_engine(settings, state=state)
stop_engine(state=state, remove_data=True)
print(json.dumps({
    "before": before, "during": during, "after": rules(),
    "bridges_during": bridges_during, "bridges_after": sorted(bridges()),
}))
"""


def without_policy(rules: list[str]) -> list[str]:
    """dockerd sets the policy of FORWARD to DROP, which stays: see docs/host.md."""
    return [rule.replace(":FORWARD DROP", ":FORWARD ACCEPT") for rule in rules]


@pytest.mark.parametrize("how", ["stop", "crash", "crash and start"])
def test_exactly_what_the_engine_added_is_taken_away(
    tmp_path: Path, root_file_system: Path, how: str
) -> None:
    words = ["unshare", "--net", sys.executable, "-c", DRIVER, str(tmp_path), str(root_file_system), how]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=240, check=False)
    finally:
        stop_engine(state=tmp_path, remove_data=True)
    assert done.returncode == 0, done.stderr
    told = cast("dict[str, list[str]]", json.loads(done.stdout))
    during = "\n".join(told["during"])
    assert "-A FORWARD -j DOCKER-USER" in during
    assert "-p tcp -m tcp --dport 18081" in during
    assert len([name for name in told["bridges_during"] if name.startswith(("docker0", "br-"))]) == 2
    assert without_policy(told["after"]) == without_policy(told["before"])
    assert told["bridges_after"] == []
