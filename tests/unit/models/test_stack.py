from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.errors import TidegateError
from tidegate.models import ClusterConfig, Policy, load_stack

ROOT = Path(__file__).parents[3]
SLO = "  tidegate:slo:\n    availability_percent: 99.9\n"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    return tmp_path / "Pulumi.dev.yaml"


def error_of(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(TidegateError) as caught:
        load_stack(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_the_local_stack_of_the_project() -> None:
    config = load_stack(ROOT / "Pulumi.local.yaml")
    assert config.cluster.workers >= 2
    assert config.policy.web.hpa.scale_down.stabilization_window_s == 60
    assert config.slo.availability_percent == 99.9
    assert {objective.route_group for objective in config.slo.latency} == {"reads", "orders"}


def test_what_is_not_given_has_its_default_and_foreign_keys_are_ignored(stack: Path) -> None:
    stack.write_text(
        "encryptionsalt: v1:abc\nconfig:\n  kubernetes:context: kind-dev\n  other:policy: {web: 1}\n"
        + SLO
        + "  tidegate:policy:\n    web: {hpa: {max_replicas: 30}}\n"
    )
    config = load_stack(stack)
    assert config.policy.web.hpa.max_replicas == 30
    assert config.policy.web.hpa.min_replicas == Policy().web.hpa.min_replicas
    assert config.cluster == ClusterConfig()


SCALE_UP = (
    "web: {hpa: {scale_up: {stabilization_window_s: 0, policies: [{type: Pods, value: 0, period_s: 1}]}}}"
)
NO_WINDOW = "web: {hpa: {scale_up: {policies: [{type: Pods, value: 1, period_s: 1}]}}}"
NEAREST = "unknown key.*Cure: the nearest valid key is tidegate:policy.web.hpa.max_replicas$"


@pytest.mark.parametrize(
    ("policy", "key", "said"),
    [
        ("web: {hpa: {max_replica: 3}}", ".web.hpa.max_replica", NEAREST),
        ("web: {hpa: {maxReplicas: 3}}", ".web.hpa.maxReplicas", NEAREST),
        ("web: {max_replicas: 3}", ".web.max_replicas", NEAREST),
        ("web: {zzz: 3}", ".web.zzz", "valid here: cpu_request_m, cpu_limit_m"),
        ("web: {cpu_limit_m: 500m}", ".web.cpu_limit_m", "'500m' is not whole milli-cores.*for example 500"),
        ("web: {memory_limit_mi: 256Mi}", ".web.memory_limit_mi", "'256Mi' is not whole mebibytes"),
        ("web: {drain: {pre_stop_s: 5s}}", ".web.drain.pre_stop_s", "'5s' is not whole seconds"),
        ("web: {cpu_request_m: 0.1}", ".web.cpu_request_m", "0.1 is not whole milli-cores"),
        ("web: {cpu_request_m: 0}", ".web.cpu_request_m", "greater than or equal to 1 .*milli-cores.* got 0"),
        ("web: {hpa: {min_replicas: 9, max_replicas: 3}}", ".web.hpa", "min_replicas 9 is above"),
        (SCALE_UP, ".web.hpa.scale_up.policies[0].value", "greater than or equal to 1"),
        (NO_WINDOW, ".web.hpa.scale_up.stabilization_window_s", "missing key"),
        ("web: 3", ".web", "got 3"),
        ("web: {cpu_request_m: 0, memory_limit_mi: 0}", ".web.cpu_request_m", "and 1 more"),
        ("2026-01-01: 1", "", "no JSON form"),
        ("web: {cpu_request_m: 2026-01-01}", "", "no JSON form"),
        ("web: &a [*a]", "", "no JSON form"),
    ],
)
def test_a_wrong_policy_is_named_with_its_cure(stack: Path, policy: str, key: str, said: str) -> None:
    error = error_of(stack, f"config:\n{SLO}  tidegate:policy:\n    {policy}\n")
    assert f"({stack}: tidegate:policy{key})" in error
    assert re.search(said, error)


def test_load_in_the_cluster_is_off_unless_asked_for(stack: Path) -> None:
    stack.write_text("config:\n" + SLO)
    assert not load_stack(stack).load.in_cluster
    stack.write_text("config:\n" + SLO + "  tidegate:load: {in_cluster: true, max_workers: 8}\n")
    assert load_stack(stack).load.max_workers == 8
    wrong = "  tidegate:load: {worker_cpu_request_m: 900, worker_cpu_limit_m: 500}\n"
    assert "worker_cpu_request_m 900 is above" in error_of(stack, "config:\n" + SLO + wrong)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"config:\n{SLO}  tidegate:polcy: {{}}\n", "the nearest valid key is tidegate:policy"),
        (
            f"config:\n{SLO}  tidegate:zzzzz: {{}}\n",
            "valid keys: tidegate:policy, tidegate:slo, tidegate:cluster",
        ),
        ("config:\n  tidegate:cluster: {workers: 2}\n", "tidegate:slo"),
        ("config:\n  tidegate:slo: {min_requests: 5}\n", "missing key"),
        ("config:\n  tidegate:slo:\n", "tidegate:slo"),
        ("runtime: python\n", "no `config:` mapping"),
        ("", "no `config:` mapping"),
        ("- a\n", "no `config:` mapping"),
        ("config: [\n", "not valid YAML"),
        ("config: {? [1]: 2}\n", "not valid YAML"),
        ("config: {a: 2026-13-45}\n", "not valid YAML"),
        ("config: " + 3000 * "[", "not valid YAML"),
        (f"config:\n{SLO}{SLO}", "appears twice"),
        (f"config:\n{SLO}  tidegate:cluster: {{workers: 2, workers: 3}}\n", "'workers' appears twice"),
        ("config: !!python/object:os.system {}\n", "not valid YAML"),
    ],
)
def test_a_wrong_file_is_one_line(stack: Path, text: str, said: str) -> None:
    assert said in error_of(stack, text)


def test_a_missing_file_and_a_folder_are_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "Pulumi.none.yaml", tmp_path):
        with pytest.raises(TidegateError, match=str(path)):
            load_stack(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(text=st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: raw.decode("latin-1")))
def test_no_text_breaks_the_loader_with_anything_but_a_line(stack: Path, text: str) -> None:
    stack.write_text(f"config:\n{SLO}  tidegate:policy: {text}", encoding="utf-8", errors="replace")
    said = ""
    try:
        load_stack(stack)
    except TidegateError as error:
        said = str(error)
    assert "\n" not in said
