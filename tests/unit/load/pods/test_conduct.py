"""A whole load from pods of a cluster that a test controls."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from support.load_cluster import GATEWAY_ADDRESS, LoadCluster, ScriptedPod, samples, segment

from tidegate.errors import TidegateError
from tidegate.load.catalogue import ScenarioPlan
from tidegate.load.drive import EXIT_INTERRUPTED, LoadResult
from tidegate.load.pods import conduct, fleet
from tidegate.load.pods.api import LoadApi
from tidegate.load.pods.conduct import Place, remove_all, run_in_cluster
from tidegate.load.pods.names import MASTER, WORKER
from tidegate.models.load import LoadConfig
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.run import read_jsonl

T0 = 1_767_225_600.0
CONFIG = LoadConfig(in_cluster=True, max_workers=3)


@pytest.fixture(autouse=True)
def no_time_to_lose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conduct, "_TICK_S", 0.01)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the scenario says of itself; may be changed."""
    told: dict[str, Any] = {
        "name": "steady",
        "path": Path("/somewhere/steady.py"),
        "parameters": {"request_timeout_s": "1", "rps": "5"},
        "given": {"rps": "5"},
        "duration_s": 10.0,
        "processes": 1,
    }
    monkeypatch.setattr(conduct, "plan_scenario", lambda *_, **__: ScenarioPlan(**told))  # pyright: ignore
    return told


def api(cluster: httpx.BaseTransport) -> LoadApi:
    return LoadApi(ApiAccess("http://127.0.0.1:1", verify=False, headers={}), cluster)


def run(cluster: LoadCluster, folder: Path, workers: int = 2) -> LoadResult:
    place = Place(api(cluster), CONFIG, "tidegate/load:1", workers)
    return run_in_cluster("steady", place, run_dir=folder, parameters={}, progress=None, password="p")


class Story:
    """What happens at the so-manieth time the pods are listed after the workers came."""

    def __init__(self, cluster: LoadCluster, *chapters: Callable[[], object]) -> None:
        self.cluster, self.chapters = cluster, list(chapters)
        cluster.on_turn = self.turn

    def turn(self) -> None:
        if self.cluster.of(WORKER) and self.chapters:
            self.chapters.pop(0)()


def note(level: str, what: str) -> bytes:
    return json.dumps({"t_s": T0 + 1, "level": level, "what": what}).encode() + b"\n"


def order(number: int) -> bytes:
    return json.dumps({"t_s": T0, "account": f"acct-{number}", "order": f"o-{number}"}).encode() + b"\n"


def works(pod: ScriptedPod) -> None:
    """A pod that has recorded its part; one that directs records nothing."""
    if pod.role == WORKER:
        number = int(pod.name.split("-")[-2])
        name = f"load-{pod.name}-17"
        pod.segments = [
            (f"requests/{name}-000000.parquet", segment([T0 + 0.1, T0 + 0.2 + number], user=number)),
            (f"metrics/{name}-000000.parquet", samples("generator_lag_s", 0.01, T0)),
        ]
        pod.growing = {"orders.jsonl": order(number), "recorder.jsonl": note("info", "recorded")}
    pod.growing["locust.log"] = f"{pod.name} speaks\n".encode()


def ends(cluster: LoadCluster, status: int = 0) -> Callable[[], None]:
    def end() -> None:
        for pod in cluster.pods.values():
            pod.exit_status, pod.said = status, "Shutting down"

    return end


def notes(folder: Path) -> list[tuple[str, str, float]]:
    return [
        (str(each["level"]), str(each["what"]), float(each["t_s"]))
        for _, each in read_jsonl(folder / "recorder.jsonl")
    ]


def requests(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in (folder / "requests").glob("*.parquet"))


def metrics(folder: Path, name: str) -> pl.DataFrame:
    found = pl.concat(pl.read_parquet(path) for path in (folder / "metrics").glob("*.parquet"))
    return found.filter(pl.col("name") == name)


@pytest.mark.usefixtures("plan")
class TestMerging:
    def test_every_part_of_every_worker_is_in_the_one_run(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)
        Story(cluster, lambda: None, ends(cluster))
        result = run(cluster, tmp_path)
        assert requests(tmp_path).height == result.requests == 4
        assert set(requests(tmp_path)["user"]) == {0, 1}
        assert result.window_s == (T0 + 0.1, pytest.approx(T0 + 1.21))
        assert (result.exit_status, result.parameters["in_cluster"]) == (0, "2")
        attempts = [line["order"] for _, line in read_jsonl(tmp_path / "orders.jsonl")]
        assert sorted(str(each) for each in attempts) == ["o-0", "o-1"]
        assert [level for level, _, _ in notes(tmp_path)] == ["info", "info"]
        assert metrics(tmp_path, "generator_lag_s").height == 2
        logs = {path.read_text() for path in tmp_path.glob("locust*.log")}
        assert len(logs) == 3

    def test_the_cluster_is_left_as_it_was(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)
        Story(cluster, ends(cluster))
        pods: list[ScriptedPod] = []

        def made(pod: ScriptedPod) -> None:
            works(pod)
            pods.append(pod)

        cluster.on_pod = made
        run(cluster, tmp_path)
        assert (cluster.jobs, cluster.secrets, cluster.pods) == ({}, {}, {})
        assert all("POST /release" in pod.asked for pod in pods)

    def test_it_is_asked_for_exactly_what_was_asked(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)
        Story(cluster, ends(cluster))
        run(cluster, tmp_path)
        secret, master, worker = cluster.made
        assert secret["stringData"] == {"password": "p"}
        assert "p" not in json.dumps([master, worker]).replace('"password"', "").split('"')
        words = {each["kind"]: each for each in cluster.made}
        assert set(words) == {"Secret", "Job"}
        for job in (master, worker):
            args = job["spec"]["template"]["spec"]["containers"][0]["args"]
            assert "--rps=5" in args
            assert args[-2:] == ["--allow-host", GATEWAY_ADDRESS]
            assert args[args.index("--host") + 1] == f"http://{GATEWAY_ADDRESS}:80"
        args = worker["spec"]["template"]["spec"]["containers"][0]["args"]
        assert args[args.index("--master-host") + 1] == "10.244.0.9"

    def test_the_secret_goes_with_the_masters_job(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)
        owners: list[Any] = []

        def look() -> None:
            owners.extend(secret["metadata"]["ownerReferences"] for secret in cluster.secrets.values())

        Story(cluster, look, ends(cluster))
        run(cluster, tmp_path)
        assert [owner[0]["kind"] for owner in owners] == ["Job"]

    def test_an_api_server_that_is_away_for_a_moment_ends_nothing(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)
        Story(cluster, lambda: setattr(cluster, "away", 5), lambda: None, ends(cluster))
        assert run(cluster, tmp_path).requests == 4
        assert cluster.away == 0


@pytest.mark.usefixtures("plan")
class TestLoss:
    def test_a_worker_that_is_lost_does_not_end_the_load_and_the_run_says_so(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def lose() -> None:
            pod = cluster.of(WORKER)[1]
            pod.phase, pod.status = "Failed", {"reason": "Evicted"}

        Story(cluster, lambda: None, lose, ends(cluster))
        result = run(cluster, tmp_path)
        assert result.exit_status == 0
        # What it had handed over before stays.
        assert result.requests == 4
        (error,) = [each for each in notes(tmp_path) if each[0] == "error"]
        assert "worker-1-abcde was lost: its pod ended: Evicted" in error[1]
        assert result.window_s is not None
        assert result.window_s[0] <= error[2] <= result.window_s[1]

    def test_a_pod_that_was_deleted_is_lost(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def lose() -> None:
            del cluster.pods[cluster.of(WORKER)[0].name]

        Story(cluster, lambda: None, lose, ends(cluster))
        run(cluster, tmp_path)
        assert any("was lost: its pod was deleted" in what for _, what, _ in notes(tmp_path))

    def test_a_pod_that_is_silent_for_long_is_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fleet, "SILENT_S", 0.2)
        cluster = LoadCluster(works)

        def silence() -> None:
            cluster.of(WORKER)[1].deaf = True

        def end() -> None:
            time.sleep(0.3)
            ends(cluster)()

        Story(cluster, lambda: None, silence, end)
        run(cluster, tmp_path)
        assert any("was lost: it was silent for" in what for _, what, _ in notes(tmp_path))

    def test_a_worker_lost_before_anything_was_sent_ends_the_load(self, tmp_path: Path) -> None:
        cluster = LoadCluster()

        def lose() -> None:
            cluster.of(WORKER)[0].phase = "Failed"

        Story(cluster, lambda: None, lose)
        with pytest.raises(TidegateError, match="lost before the load began"):
            run(cluster, tmp_path)
        assert cluster.pods == {}

    def test_a_load_without_its_master_is_an_error(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def lose() -> None:
            cluster.of(MASTER)[0].phase = "Failed"
            for pod in cluster.of(WORKER):
                pod.exit_status = 1

        Story(cluster, lambda: None, lose)
        with pytest.raises(TidegateError, match="the load's master was lost"):
            run(cluster, tmp_path)
        assert requests(tmp_path).height == 4
        assert cluster.jobs == {}

    def test_a_worker_that_failed_is_told_in_the_run(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def end() -> None:
            ends(cluster)()
            cluster.of(WORKER)[0].exit_status = 3

        Story(cluster, lambda: None, end)
        run(cluster, tmp_path)
        assert any("ended with exit code 3" in what for level, what, _ in notes(tmp_path) if level == "error")

    def test_a_record_that_does_not_come_out_is_an_error_in_the_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conduct, "HAND_OVER_S", 0.0)
        cluster = LoadCluster(works)

        def end() -> None:
            ends(cluster)()
            cluster.of(WORKER)[0].damaged = 1_000_000

        Story(cluster, lambda: None, end)
        run(cluster, tmp_path)
        assert any("not all of its record came out" in what for _, what, _ in notes(tmp_path))


@pytest.mark.usefixtures("plan")
class TestBreakingOff:
    def test_the_first_ctrl_c_ends_the_load_and_keeps_what_was_sent(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def interrupt() -> None:
            cluster.of(MASTER)[0].on_stop = ends(cluster)
            raise KeyboardInterrupt

        Story(cluster, lambda: None, lambda: None, interrupt)
        result = run(cluster, tmp_path)
        assert result.exit_status == EXIT_INTERRUPTED
        assert result.requests == 4
        assert (cluster.jobs, cluster.secrets, cluster.pods) == ({}, {}, {})

    def test_the_second_removes_the_pods_at_once(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def interrupt() -> None:
            raise KeyboardInterrupt

        Story(cluster, lambda: None, lambda: None, interrupt, interrupt)
        with pytest.raises(KeyboardInterrupt):
            run(cluster, tmp_path)
        assert (cluster.jobs, cluster.secrets, cluster.pods) == ({}, {}, {})
        assert requests(tmp_path).height == 4

    def test_the_next_start_removes_what_a_killed_tool_left(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def die() -> None:
            raise SystemExit

        Story(cluster, lambda: None, die)
        # A tool that is killed removes nothing.
        removed, cluster._delete = cluster._delete, lambda *_: httpx.Response(200, json={})  # pyright: ignore
        with pytest.raises(SystemExit):
            run(cluster, tmp_path)
        cluster._delete = removed  # pyright: ignore
        old = {*cluster.jobs, *cluster.secrets, *cluster.pods}
        assert len(old) == 2 + 1 + 3

        def made(pod: ScriptedPod) -> None:
            works(pod)
            assert not old & {*cluster.jobs, *cluster.secrets, *cluster.pods}

        cluster.on_pod = made
        (tmp_path / "next").mkdir()
        Story(cluster, lambda: None, ends(cluster))
        assert run(cluster, tmp_path / "next").requests == 4

    def test_cleaning_tells_what_there_was(self) -> None:
        cluster = LoadCluster()
        place = api(cluster)
        assert remove_all(place) == 0
        from tidegate.load.pods.jobs import LoadJobs

        jobs = LoadJobs("load-1", "i:1", "s.py", (), "http://a", "a", 1, CONFIG, 5.0)
        place.make_secret(jobs.secret("p"))
        place.make_job(jobs.master())
        told: list[str] = []
        assert remove_all(place, say=told.append) == len(told) == 3
        assert {each.partition("/")[0] for each in told} == {"job", "secret", "pod"}
        assert remove_all(place) == 0

    def test_what_cannot_be_removed_is_named(self) -> None:
        cluster = LoadCluster()
        place = api(cluster)
        cluster.secrets["s"] = {
            "metadata": {"name": "s", "labels": {"app.kubernetes.io/name": "tidegate-load"}}
        }
        cluster._delete = lambda *_: httpx.Response(200, json={})  # pyright: ignore
        with pytest.raises(TidegateError, match="secret/s of an earlier load cannot be removed"):
            remove_all(place, wait_s=0.01)


@pytest.mark.usefixtures("plan")
class TestClocks:
    def test_each_pods_clock_is_compared_at_both_ends(self, tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def ahead(pod: ScriptedPod) -> None:
            works(pod)
            pod.ahead_s = 7.0 if pod.role == WORKER and "-1-" in pod.name else 0.0

        cluster.on_pod = ahead
        Story(cluster, lambda: None, ends(cluster))
        run(cluster, tmp_path)
        offsets = metrics(tmp_path, "generator_clock_s")
        within = metrics(tmp_path, "generator_clock_within_s")
        assert offsets.height == within.height == 2 * 3
        fast = offsets.filter(pl.col("labels").str.contains("worker-1-"))
        assert fast["value"].to_list() == [pytest.approx(7.0, abs=0.5)] * 2
        others = offsets.filter(~pl.col("labels").str.contains("worker-1-"))
        assert all(abs(value) < 0.5 for value in others["value"])


class TestRefusals:
    def test_more_workers_than_the_stack_allows(self, plan: dict[str, Any], tmp_path: Path) -> None:
        with pytest.raises(TidegateError, match="4 workers: the stack allows 3"):
            run(LoadCluster(), tmp_path, workers=4)

    def test_a_cluster_without_the_layer(self, plan: dict[str, Any], tmp_path: Path) -> None:
        cluster = LoadCluster()
        cluster.has_room = False
        with pytest.raises(TidegateError, match="in_cluster: true"):
            run(cluster, tmp_path)
        assert cluster.made == []

    @pytest.mark.parametrize(
        ("change", "said"),
        [({"processes": 2}, "processes and pods"), ({"parameters": {"trace": "day.csv"}}, "a trace lies on")],
    )
    def test_what_pods_cannot_do(
        self, plan: dict[str, Any], tmp_path: Path, change: dict[str, Any], said: str
    ) -> None:
        plan.update(change)
        with pytest.raises(TidegateError, match=said):
            run(LoadCluster(), tmp_path)

    def test_pods_that_find_no_place_are_told_in_the_clusters_words(
        self, plan: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conduct, "START_S", 0.1)

        def pending(pod: ScriptedPod) -> None:
            if pod.role == WORKER:
                pod.phase = "Pending"
                said = {"type": "PodScheduled", "status": "False", "message": "2 Insufficient cpu"}
                pod.status = {"conditions": [said]}

        cluster = LoadCluster(pending)
        with pytest.raises(TidegateError, match=r"2 workers: .*-worker-0-abcde: 2 Insufficient cpu"):
            run(cluster, tmp_path)
        assert cluster.jobs == {}

    def test_what_locust_does_not_take_is_its_own_word(self, plan: dict[str, Any], tmp_path: Path) -> None:
        def refuses(pod: ScriptedPod) -> None:
            pod.exit_status, pod.said = 3, "error: no password of the seeded accounts"

        with pytest.raises(TidegateError, match="exit code 3: no password of the seeded accounts"):
            run(LoadCluster(refuses), tmp_path)

    def test_a_master_that_fails_in_the_end_is_an_error(self, plan: dict[str, Any], tmp_path: Path) -> None:
        cluster = LoadCluster(works)

        def end() -> None:
            ends(cluster)()
            cluster.of(MASTER)[0].exit_status = 2

        Story(cluster, lambda: None, end)
        with pytest.raises(TidegateError, match="locust failed with exit code 2"):
            run(cluster, tmp_path)
