from __future__ import annotations

import copy
import io
import json
from typing import Any

import pytest
from pydantic import TypeAdapter
from support.hpa_histories import cpu_metric, external_metric, history, pod, sync

from tidegate.simulate.decisions import decide_lines
from tidegate.simulate.wire.output import BadLine, Decisions, line_schemas

OUTPUT: TypeAdapter[Any] = TypeAdapter(Decisions | BadLine)
BEHAVIOR = {"scaleUp": {"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]}}


def decided(*lines: object, explained: bool = False, longest: int = 1 << 20) -> list[dict[str, Any]]:
    data = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    shown = [one for _, one in decide_lines(io.BytesIO(data), longest=longest, explained=explained)]
    for one in shown:
        OUTPUT.validate_python(json.loads(json.dumps(one)))
    return shown


def replicas(line: dict[str, Any]) -> list[int]:
    return [one["desired_replicas"] for one in line["decisions"]]


def test_a_history_keeps_its_memory_from_sync_to_sync() -> None:
    """The CPU falls to nothing, and the five minutes' window keeps the replicas until it has passed."""
    syncs = [sync(1000, 2), sync(1015, 4, "10m"), sync(1299, 4, "10m"), sync(1301, 4, "10m")]
    (line,) = decided(history(*syncs))
    assert replicas(line) == [4, 4, 4, 1]


def test_rates_count_what_was_changed_in_the_period() -> None:
    syncs = [sync(1000, 2), sync(1030, 4), sync(1061, 4)]
    (line,) = decided(history(*syncs, behavior=BEHAVIOR))
    assert replicas(line) == [4, 4, 6]


def test_bad_lines_say_where_and_the_rest_goes_on() -> None:
    misspelt = history(sync(1000, 2))
    misspelt["syncs"][0]["pods"][1]["phase"] = "Runing"
    found = decided(b"{", b"", history(sync(1000, 2)), misspelt, b"[]", history(sync(1000, 2)))
    assert [(one.get("line"), one.get("at")) for one in found] == [
        (1, "column 1"),
        (None, None),
        (4, "syncs[0].pods[1].phase"),
        (5, ""),
        (None, None),
    ]
    assert found[2]["error"].startswith("line 4, syncs[0].pods[1].phase: Input should be 'Pending'")


def _changed(path: list[Any], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(history(sync(1000, 2), behavior=copy.deepcopy(BEHAVIOR)))
    here: Any = changed
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return changed


POD = ["syncs", 0, "pods", 0]


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (["hpa", "spec", "maxReplicas"], 0, "greater than or equal to 1"),
        (["hpa", "spec", "minReplicas"], 11, "minReplicas 11 is above maxReplicas 10"),
        (["hpa", "spec", "maxReplicas"], 2**31, "less than or equal to 2147483647"),
        (["hpa", "spec", "maxReplicas"], "10", "valid integer"),
        (["hpa", "spec", "maxReplica"], 3, "unknown key 'maxReplica'"),
        (["hpa", "spec", "metrics", 0, "type"], "Pods", "a metric of type Pods has the source of that name"),
        (
            ["hpa", "spec", "metrics", 0],
            {**cpu_metric(), "pods": external_metric()["external"]},
            "averageValue",
        ),
        (["hpa", "spec", "metrics", 0], external_metric("0"), "must be positive"),
        (["hpa", "spec", "behavior", "scaleUp", "policies"], [], "at least 1 item"),
        (["hpa", "spec", "behavior", "scaleUp", "policies", 0, "periodSeconds"], 1801, "less than or equal"),
        (["hpa", "spec", "behavior", "scaleUp", "tolerance"], "-1m", "must not be negative"),
        (["controller", "version"], "1.32", "is not known"),
        (["controller", "feature_gates"], {"Nope": True}, "does not change decisions"),
        (["syncs", 0, "t_s"], "x", "valid number"),
        (["syncs", 0, "spec_replicas"], -1, "greater than or equal to 0"),
        (["syncs", 0, "external_metrics"], {"queue": [1, "a"]}, "queue must be a finite number"),
        (["syncs", 0, "external_metrics"], {"queue": 1}, "must be a list"),
        (["syncs", 0, "pod_metrics"], {"rps": {"p0": None}}, "p0 must be a finite number"),
        (["syncs", 0, "object_metrics"], [], "object of numbers"),
        ([*POD, "name"], "p1", "two pods of one name"),
        ([*POD, "ready"], "maybe", "valid boolean"),
        ([*POD, "metrics", "containers", 0, "usage", "cpu"], "1..2", "is not a quantity"),
        ([*POD, "containers", 0, "requests", "cpu"], [], "must be a quantity"),
    ],
)
def test_what_is_no_history(path: list[Any], value: object, told: str) -> None:
    (found,) = decided(_changed(path, value))
    assert told in found["error"]


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"syncs":' * 50_000,
        b'{"hpa":{"spec":{"maxReplicas":' + b"9" * 5000 + b"}}}",
        b'{"hpa":{"spec":{"maxReplicas":1}},"syncs":[{"t_s":NaN,"spec_replicas":1,"status_replicas":1}]}',
        b'{"hpa":{"spec":{"maxReplicas":1}},"syncs":[{"t_s":1e999,"spec_replicas":1,"status_replicas":1}]}',
        b"null",
        b"{}",
    ],
)
def test_hostile_lines_are_errors(line: bytes) -> None:
    found = decided(line, history(sync(1000, 2)))
    assert len(found[0]["error"]) < 700
    assert replicas(found[1]) == [4]


def test_a_line_that_is_too_long_is_an_error() -> None:
    line = json.dumps(history(*[sync(1000 + 15 * number, 9) for number in range(40)])).encode()
    found = decided(line, history(sync(1000, 2)), longest=20_000)
    assert f"the line has {len(line)} bytes" in found[0]["error"]
    assert replicas(found[1]) == [4]


def test_syncs_must_be_in_order() -> None:
    (found,) = decided(history(sync(1000, 2), sync(999, 2)))
    assert "syncs[1] is earlier" in found["error"]


def test_explained_decisions_say_what_limited_them() -> None:
    (line,) = decided(history(sync(1000, 2, "5"), behavior=BEHAVIOR), explained=True)
    (decision,) = line["decisions"]
    explained = decision["explain"]
    assert decision["desired_replicas"] == 4
    assert explained["recommended"] == 40
    assert explained["limited_by"] == [{"by": "ScaleUpLimit", "before": 40, "after": 4}]
    assert explained["metrics"][0] == {
        "type": "Resource",
        "name": "cpu",
        "replicas": 40,
        "value": 1000,
        "target": 50,
        "ratio": 20.0,
        "because": "ratio",
        "filled_ratio": None,
        "pods": {"counted": 2, "unready": 0, "missing": 0, "ignored": 0},
    }
    assert explained["tree"]["text"] == "2 replicas become 4 at 1000 s"


def test_an_invalid_metric_is_told_and_does_not_stop_a_rise() -> None:
    metrics = [cpu_metric(), external_metric()]
    (rise, fall) = decided(
        history(sync(1000, 2), metrics=metrics), history(sync(1000, 2, "1m"), metrics=metrics), explained=True
    )
    assert replicas(rise) == [4]
    assert rise["decisions"][0]["error"].startswith("invalid metrics (1 invalid out of 2)")
    assert replicas(fall) == [2]
    assert fall["decisions"][0]["conditions"]["ScalingActive"] == "False/FailedGetExternalMetric"
    assert fall["decisions"][0]["explain"]["metrics"][1]["reason"] == "FailedGetExternalMetric"


def test_defaults_are_the_api_server_s() -> None:
    """No metrics is CPU at 80 %; flags may be left out."""
    asked = {"hpa": {"spec": {"maxReplicas": 10}}, "syncs": [sync(1000, 2, "500m")]}
    (line,) = decided(asked, explained=True)
    assert line["decisions"][0]["explain"]["metrics"][0]["target"] == 80
    assert replicas(line) == [3]


def test_pods_in_the_metrics_but_in_no_list_count_in_an_average() -> None:
    target = {"type": "AverageValue", "averageValue": "250m"}
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    stray = pod("gone", "1")["metrics"]
    (with_stray, without) = decided(
        history(sync(1000, 2, "500m", stray_metrics={"gone": stray}), metrics=[metric]),
        history(sync(1000, 2, "500m"), metrics=[metric]),
        explained=True,
    )
    recommended = [line["decisions"][0]["explain"]["recommended"] for line in (with_stray, without)]
    assert recommended == [6, 4]


def test_the_schemas_are_published_and_closed() -> None:
    schemas = line_schemas()
    assert set(schemas) == {"hpa-history", "hpa-decisions", "world"}
    assert schemas["hpa-history"]["additionalProperties"] is False
    assert schemas["hpa-history"]["$defs"]["Sync"]["required"] == ["t_s", "spec_replicas", "status_replicas"]
