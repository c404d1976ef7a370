"""Whose cluster is broken, and what lifts a fault when the tool cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.cluster import Cluster
from tidegate.chaos.injector import word
from tidegate.chaos.lifter import end_lifter, start_lifter
from tidegate.chaos.sampler import rows
from tidegate.chaos.ways import doing
from tidegate.chaos.where import where
from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import ApiAccess

SCRIPT = Path(__file__).parents[3] / "tidegate" / "chaos" / "inside.py"


def test_without_a_context_it_is_the_stacks_own() -> None:
    found = where("demo", context="", allow_foreign=False)
    assert found.own
    assert found.kubeconfig.parts[-2:] == ("demo", "kubeconfig")


def test_a_foreign_cluster_needs_both_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    with pytest.raises(TidegateError, match="--allow-foreign-cluster"):
        where("demo", context="production", allow_foreign=False)
    with pytest.raises(TidegateError, match="without --context"):
        where("demo", context="", allow_foreign=True)
    with pytest.raises(TidegateError, match="not the current context"):
        where("demo", context="production", allow_foreign=True)
    (tmp_path / "config").write_text("current-context: production\n")
    found = where("demo", context="production", allow_foreign=True)
    assert (found.own, found.kubeconfig) == (False, tmp_path / "config")
    assert found.kubectl()[-2:] == ["--context", "production"]


def test_the_own_context_by_name_is_not_foreign() -> None:
    assert where("demo", context="kind-demo", allow_foreign=False).own


def wait_for(path: Path) -> bool:
    ends_s = time.monotonic() + 20
    while not path.exists() and time.monotonic() < ends_s:
        time.sleep(0.02)
    return path.exists()


def test_the_lifter_acts_although_its_maker_was_killed(tmp_path: Path) -> None:
    mark = tmp_path / "lifted"
    body = (
        "import os, signal\n"
        "from tidegate.chaos.lifter import start_lifter\n"
        f"start_lifter(0.3, [['false'], ['touch', {str(mark)!r}]], os.environ)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    made = subprocess.run([sys.executable, "-c", body], check=False)
    assert made.returncode == -9
    assert wait_for(mark)


def test_a_lifter_that_is_ended_does_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "lifted"
    pid = start_lifter(60, [["touch", str(mark)]], os.environ)
    end_lifter(pid)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not mark.exists()
    end_lifter(pid)  # twice is harmless


def test_the_injectors_word_is_read_with_its_errors() -> None:
    status = {
        "conditions": [{"type": "AllInjected", "status": "False"}],
        "experiment": {
            "containerRecords": [
                {
                    "id": "tidegate/web-a/web",
                    "events": [
                        {"type": "Succeeded", "message": ""},
                        {"type": "Failed", "message": "unknown qdisc"},
                    ],
                }
            ]
        },
    }
    said = word({"status": status})
    assert (said.injected, said.pods, said.errors) == (False, ("web-a",), ("unknown qdisc",))


def test_the_probe_prints_what_the_recorder_reads() -> None:
    # Against this machine alone: an address needs no resolver, and nobody listens on port 1.
    body = SCRIPT.read_text()
    head, _, rest = body.partition("DATABASES = (")
    text = head + 'DATABASES = (("redis", "127.0.0.1", 1),)\n_REST = (' + rest
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-"], input=text, capture_output=True, text=True, check=True, timeout=30
    )
    found = {(row.name, row.labels): row.value for row in rows("web-a", done.stdout, 1.0)}
    redis = '{"pod":"web-a","to":"redis"}'
    assert found["probe_resolve_ok", redis] == 1.0
    assert found["probe_connect_ok", redis] == 0.0
    assert ("probe_connect_ms", redis) not in found
    assert ("probe_throttled_s", '{"pod":"web-a"}') in found


def test_the_probe_tells_the_services_cpu_from_that_of_others_in_its_cgroup(tmp_path: Path) -> None:
    tick = os.sysconf("SC_CLK_TCK")
    processes = {
        1: ("(python (web))", 0, 3 * tick),
        7: ("(worker) R)", 1, 2 * tick),
        9: ("(of the worker)", 7, tick),
        30: ("(stress-ng)", 0, 50 * tick),
        31: ("(stress-ng-cpu)", 30, 90 * tick),
    }
    for pid, (name, parent, ticks) in processes.items():
        (tmp_path / "proc" / str(pid)).mkdir(parents=True)
        fields = f"S {parent} " + "0 " * 9 + f"{ticks - 3} 1 1 1 20"
        (tmp_path / "proc" / str(pid) / "stat").write_text(f"{pid} {name} {fields}")
    (tmp_path / "proc" / "self").mkdir()
    (tmp_path / "cpu.stat").write_text("usage_usec 10500000\nthrottled_usec 0\n")
    head = SCRIPT.read_text().partition("memory = read(")[0] + "print(json.dumps(found))"
    text = head.replace('"/proc"', repr(str(tmp_path / "proc"))).replace(
        '"/sys/fs/cgroup"', repr(str(tmp_path))
    )

    def told() -> float:
        words = [sys.executable, "-I", "-S", "-"]
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=True, timeout=30)
        return {row.name: row.value for row in rows("web-a", done.stdout, 1.0)}["probe_others_cpu_s"]

    assert told() == pytest.approx(10.5 - 6)
    # The first version of cgroups says it in another file.
    (tmp_path / "cpu.stat").write_text("throttled_time 0\n")
    (tmp_path / "cpu,cpuacct").mkdir()
    (tmp_path / "cpu,cpuacct" / "cpuacct.usage").write_text("7000000000\n")
    assert told() == pytest.approx(7 - 6)


def test_a_fault_that_hangs_is_cleared_by_the_lifters_own_commands() -> None:
    (experiment,) = load_experiments(["http-abort"])
    access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
    cluster = Cluster(access, httpx.MockTransport(lambda _: httpx.Response(404)))
    deleted, cleared = doing(experiment, cluster, "", {}, ["--context", "here"]).afterwards()
    what = ["kubectl", "--context", "here", "{}", "httpchaos.chaos-mesh.org", "http-abort", "-n", "tidegate"]
    assert deleted[:8] == [each.format("delete") for each in what]
    assert any(each.startswith("--timeout=") for each in deleted)
    assert cleared[:8] == [each.format("patch") for each in what]
    assert json.loads(cleared[-1]) == {"metadata": {"finalizers": None}}
