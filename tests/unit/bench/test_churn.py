"""What cannot work is refused, Runs follow until there are enough requests, floors are put back."""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest
from rich.console import Console
from support.scaled_cluster import ScaledCluster
from typer.testing import CliRunner

from tidegate.bench import churn as module
from tidegate.bench import floor as floor_module
from tidegate.bench.churn import Churn, bench_churn, clean, earlier_runs, half_load, require_policy
from tidegate.bench.churn_figures import ChurnFigures, ChurnRun, Failure, Operation, Orders, Workers, together
from tidegate.bench.churn_view import churn_view, run_line
from tidegate.bench.cli import app
from tidegate.bench.floor import BEFORE
from tidegate.bench.operations import Kind
from tidegate.errors import TidegateError
from tidegate.load.catalogue import plan_scenario
from tidegate.models import Outcome
from tidegate.models.policy import Policy
from tidegate.models.stack import load_stack
from tidegate.prepare import Site

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]
WANTED = Churn(high=20, low=4, requests=250, users=10, run_s=540.0)
FAST = {"stabilization_window_s": 60, "policies": [{"type": "Percent", "value": 100, "period_s": 15}]}


def policy(worker: dict[str, Any] | None = None, **hpa: Any) -> Policy:
    web = {"min_replicas": 2, "max_replicas": 20, "scale_down": FAST, **hpa}
    return Policy.model_validate({"web": {"hpa": web}, "worker": worker or {}})


def site(wanted: Policy) -> Site:
    config = SimpleNamespace(policy=wanted, cluster=SimpleNamespace(name="none"))
    return cast("Site", SimpleNamespace(config=config, environment={}))


def operation(kind: Kind = Kind.OUT, problem: str = "") -> Operation:
    return Operation(
        kind=kind,
        begin_s=0.0,
        end_s=10.0,
        problem=problem,
        from_ready=4,
        to_ready=20,
        pods_ended=16,
        requests=50,
        failed=0,
    )


def run_of(requests: int = 100, problem: str = "", failed: int = 0) -> ChurnRun:
    return ChurnRun(
        run="runs/one",
        requests=requests,
        failed=failed,
        requests_during=requests // 2,
        pods_ended=16,
        operations=(*map(operation, Kind), operation(problem=problem)),
        failures=(),
        orders=Orders(attempts=9, acknowledged=9, lost=0, doubled=0, undecided=0),
        workers=Workers(most_ready=1, fewest_ready=1, ended=0),
        doubts=(),
    )


# What is refused


@pytest.mark.parametrize(
    ("change", "hpa", "told"),
    [
        ({"high": 21}, {}, "--high 21 is above the policy's max_replicas 20"),
        ({"low": 20}, {}, "--low 20 is not from 1 to below --high 20"),
        ({"low": 0}, {}, "--low 0 is not from 1"),
        ({}, {"scale_down": {**FAST, "select_policy": "Disabled"}}, "the policy never scales in"),
        ({"users": 9}, {"metric": "rps", "rps_per_pod": 2.0}, "--users 8"),
        ({"run_s": 200.0}, {"scale_down": {**FAST, "stabilization_window_s": 300}}, "--run-s"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, Any], hpa: dict[str, Any], told: str) -> None:
    wanted = Churn(**{**WANTED.__dict__, **change})
    with pytest.raises(TidegateError, match=told):
        require_policy(policy(**hpa), wanted)


def test_what_can_work_is_not_refused() -> None:
    require_policy(policy(), WANTED)
    require_policy(policy(metric="rps", rps_per_pod=2.5), WANTED)
    calm = policy(scale_down={**FAST, "stabilization_window_s": 300})
    require_policy(calm, WANTED)


def test_the_load_by_default_is_half_of_what_the_fewest_pods_carry() -> None:
    assert half_load(policy(metric="rps", rps_per_pod=15.0), 4) == 30
    # 4 pods of 0.1 cores at 60 % and 15 ms a request carry 16 a second.
    assert half_load(policy(), 4) == 8
    assert half_load(policy(metric="rps", rps_per_pod=0.2), 4) == 1


def test_the_stack_for_it_can_be_asked_for_the_commands_defaults() -> None:
    stack = load_stack(ROOT / "Pulumi.churn.yaml").policy
    require_policy(stack, Churn(20, 4, 100_000, half_load(stack, 4), 540.0))
    assert stack.worker.scale_by == "queue"


@pytest.mark.parametrize("loop", ["closed", "open"])
def test_the_scenario_knows_its_parameters_and_no_bound_cuts_it(loop: str) -> None:
    wanted = Churn(20, 4, 100_000, 200, 7200.0, loop)
    planned = plan_scenario(module.SCENARIO, wanted.parameters())
    assert planned.duration_s == pytest.approx(7200, abs=60)
    assert int(planned.parameters["max_requests"]) > 1.3 * 200 * 7200


# Run after Run


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> ScaledCluster:
    def sleep(_: float) -> None:
        pass

    cluster = ScaledCluster(least=2, most=20, worker={"minReplicaCount": 0, "maxReplicaCount": 8})
    monkeypatch.setattr(floor_module.time, "sleep", sleep)
    monkeypatch.setattr(module, "open_cluster", always(cluster.client()))
    monkeypatch.setattr(module, "plan_scenario", always(None))
    return cluster


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, cluster: ScaledCluster) -> list[dict[str, Any]]:
    """What each measurement was asked for; the floor at that moment is among it. Nothing is measured."""
    asked: list[dict[str, Any]] = []

    @contextmanager
    def nothing(*_: object) -> Generator[None]:
        yield

    def measure(_: Site, scenario: str, parameters: dict[str, str], **more: Any) -> tuple[Path, None]:
        beside = cast("Callable[[Path], AbstractContextManager[object]]", more["beside"])
        with beside(Path("runs")):
            asked.append({"scenario": scenario, **parameters, **more, "floor": cluster.floor})
        return Path(f"runs/{len(asked)}"), None

    monkeypatch.setattr(module, "Churning", nothing)
    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(module, "churn_run", always(run_of()))
    return asked


def always(value: T) -> Callable[..., T]:
    """Return what gives `value` whatever it is asked."""

    def given(*_: object, **__: object) -> T:
        return value

    return given


def bench(wanted: Policy, churn: Churn = WANTED, **more: Any) -> ChurnFigures:
    return bench_churn(site(wanted), churn, runs=Path("runs"), console=Console(quiet=True), **more)


def test_runs_follow_each_other_until_there_are_enough_requests(measured: list[dict[str, Any]]) -> None:
    told: list[ChurnRun] = []
    figures = bench(policy(), told=told.append)
    assert (len(measured), figures.requests, figures.outcome) == (3, 300, Outcome.HELD)
    assert len(told) == 3
    assert {(one["steady_users"], one["steady_s"], one["loop"]) for one in measured} == {
        ("10", "540", "closed")
    }


def test_runs_of_an_earlier_call_count_too(measured: list[dict[str, Any]]) -> None:
    figures = bench(policy(), earlier=[run_of(200)])
    assert (len(measured), figures.requests) == (1, 300)


def test_the_first_run_begins_at_low_and_the_floors_are_put_back(
    measured: list[dict[str, Any]], cluster: ScaledCluster
) -> None:
    bench(policy(worker={"scale_by": "queue"}))
    assert measured[0]["floor"] == 4
    assert (cluster.floor, cluster.annotations()) == (2, {})
    assert cluster.annotations("scaledobjects/tidegate-worker") == {}


@pytest.mark.parametrize("end", [KeyboardInterrupt, TidegateError("no request was recorded")])
def test_a_broken_off_run_puts_the_floors_back(
    measured: list[dict[str, Any]],
    cluster: ScaledCluster,
    monkeypatch: pytest.MonkeyPatch,
    end: BaseException | type[BaseException],
) -> None:
    def measure(*_: object, **__: object) -> None:
        assert cluster.annotations() == {BEFORE: "2"}
        raise end

    monkeypatch.setattr(module, "measure", measure)
    with pytest.raises((KeyboardInterrupt, TidegateError)):
        bench(policy())
    assert (cluster.floor, cluster.annotations()) == (2, {})


def test_after_an_operation_that_never_ended_no_run_follows(
    measured: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "churn_run", always(run_of(problem="scale-in: not through")))
    figures = bench(policy())
    assert len(measured) == 1
    assert figures.outcome is Outcome.COULD_NOT_TELL


def test_a_run_without_requests_is_the_last(
    measured: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "churn_run", always(run_of(requests=0)))
    bench(policy())
    assert len(measured) == 1


@pytest.mark.parametrize(("least", "most", "high"), [(3, 20, 20), (2, 30, 30)])
def test_a_cluster_that_is_not_as_the_file_says_is_refused(
    measured: list[dict[str, Any]], cluster: ScaledCluster, least: int, most: int, high: int
) -> None:
    other = policy(min_replicas=least, max_replicas=most)
    with pytest.raises(TidegateError, match=r"deployed are 2 to 20 web pods.*tidegate up"):
        bench(other, Churn(high, 4, 250, 10, 540.0))
    assert cluster.patches == []
    assert measured == []


def test_the_wait_for_rest_knows_how_slowly_the_policy_scales_in(measured: list[dict[str, Any]]) -> None:
    bench(policy(scale_down={**FAST, "stabilization_window_s": 400}))
    assert measured[0]["limits"].calm_s > 400 + 300


def test_what_a_killed_call_left_is_put_back_by_itself(cluster: ScaledCluster) -> None:
    floor_module.web_floor(cluster.client(), policy()).move(20)
    said: list[str] = []
    clean(site(policy()), said.append)
    assert said == ["horizontalpodautoscaler/tidegate-web: the floor was 20, it is 2 again"]
    assert (cluster.floor, cluster.annotations()) == (2, {})


def test_a_run_of_another_policy_does_not_count(tmp_path: Path) -> None:
    from support.synthetic_run import build_run

    folder = build_run(tmp_path)
    with pytest.raises(TidegateError, match="another policy"):
        earlier_runs([folder], policy())
    with pytest.raises(TidegateError, match="nothing was done"):
        earlier_runs([folder], Policy())


# What is printed


def shown(figures: ChurnFigures) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(churn_view(figures))
    return console.export_text()


def test_the_table_has_each_kind_each_run_and_the_sum() -> None:
    text = shown(together([run_of(), run_of()], high=20, low=4, wanted=200))
    assert "rolling update" in text
    assert "4 to 20 and back: held. 0 of 200 requests failed" in text
    assert "of 18 acknowledged orders 0 lost" in text


def test_failures_are_told_with_all_that_is_known() -> None:
    failure = Failure(
        start_s=1_800_000_000.25,
        after_s=0.5,
        route="GET /x",
        status=0,
        error="ConnectionReset",
        pod="web-1",
        pod_told_s=5.25,
        operation="scale-in",
    )
    run = run_of(failed=1).model_copy(update={"failures": (failure,)})
    text = shown(together([run], high=20, low=4, wanted=1))
    assert "not held" in text
    told = "GET /x: ConnectionReset after 0.50 s by web-1, told to go 5.2 s before; scale-in"
    assert told in text
    assert "- 1 of 100 requests failed" in text


def test_a_run_is_told_in_one_line() -> None:
    assert run_line(run_of(problem="x")).startswith(
        "0 of 100 requests failed, 50 of them during 3 operations; 16 web pods and 0 workers ended"
    )


# The command


@pytest.mark.parametrize(
    ("run", "code"), [(run_of(300), 0), (run_of(300, failed=1), 1), (run_of(10, problem="x"), 2)]
)
def test_the_exit_code_tells_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: ChurnRun, code: int
) -> None:
    asked: list[Churn] = []

    def bench_it(_: Site, wanted: Churn, **__: object) -> ChurnFigures:
        asked.append(wanted)
        return together([run], high=20, low=4, wanted=wanted.requests)

    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    monkeypatch.setattr("tidegate.prepare.attach", always(site(policy())))
    monkeypatch.setattr(module, "bench_churn", bench_it)
    done = CliRunner().invoke(app, ["churn", "--requests", "250", "-o", "json"])
    assert done.exit_code == code, done.output
    assert ChurnFigures.model_validate_json(done.stdout).runs == (run,)
    assert asked == [Churn(20, 4, 250, 8, 540.0)]


def test_a_stack_that_is_not_deployed_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    done = CliRunner().invoke(app, ["churn"])
    assert isinstance(done.exception, TidegateError)
