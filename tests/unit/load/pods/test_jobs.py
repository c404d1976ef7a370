from __future__ import annotations

import json
from typing import Any

import pytest

from infra import policy
from infra.faults.controller import PAUSE_IMAGE
from infra.load.layer import quota
from infra.manifests import GATEWAY_NAMESPACE as EDGE_NAMESPACE
from infra.network.edge import GATEWAY
from tidegate.load.handover import PASSWORD_VARIABLE
from tidegate.load.pods.jobs import HAND_OVER_S, PATIENCE_S, START_S, LoadJobs, Manifest
from tidegate.load.pods.names import GATEWAY_LABELS, GATEWAY_NAMESPACE
from tidegate.models.load import LoadConfig
from tidegate.models.node_group import GROUP_LABEL

CONFIG = LoadConfig(in_cluster=True, max_workers=3, worker_cpu_request_m=250, worker_cpu_limit_m=750)
JOBS = LoadJobs(
    "load-12345678", PAUSE_IMAGE, "spike.py", ("--rps=2",), "http://10.0.0.1:80", "10.0.0.1", 3, CONFIG, 330.0
)


def pod(job: Manifest) -> dict[str, Any]:
    return job["spec"]["template"]["spec"]


@pytest.fixture(params=["master", "worker"])
def job(request: pytest.FixtureRequest) -> Manifest:
    return JOBS.master() if request.param == "master" else JOBS.worker("10.244.0.5")


def test_every_rule_holds(job: Manifest) -> None:
    assert policy.check([job, JOBS.secret("p")]) == []


def test_nothing_outlives_a_tool_that_was_killed(job: Manifest) -> None:
    spec = job["spec"]
    assert spec["activeDeadlineSeconds"] >= START_S + 330 + HAND_OVER_S
    assert spec["activeDeadlineSeconds"] < 3600
    assert 0 < spec["ttlSecondsAfterFinished"] <= 600
    args: list[str] = pod(job)["containers"][0]["args"]
    assert args[args.index("--patience-s") + 1] == str(PATIENCE_S)


def test_a_lost_worker_takes_no_other_with_it_and_is_not_made_anew() -> None:
    spec = JOBS.worker("10.244.0.5")["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    assert spec["backoffLimitPerIndex"] == 0
    assert not {"backoffLimit", "maxFailedIndexes"} & set(spec)
    assert pod(JOBS.master())["restartPolicy"] == "Never"
    assert JOBS.master()["spec"]["backoffLimit"] == 0


def test_locust_waits_for_all_and_moves_the_share_of_a_lost_one() -> None:
    args = pod(JOBS.master())["containers"][0]["args"]
    assert args[args.index("--expect-workers") + 1] == "3"
    assert "--enable-rebalancing" in args


def test_the_password_is_in_the_secret_and_nowhere_else(job: Manifest) -> None:
    assert JOBS.secret("hunter2")["stringData"] == {"password": "hunter2"}
    assert "hunter2" not in json.dumps(job)
    (given,) = [each for each in pod(job)["containers"][0]["env"] if each["name"] == PASSWORD_VARIABLE]
    assert given["valueFrom"]["secretKeyRef"] == {"name": JOBS.name, "key": "password"}


def test_generators_neither_add_a_node_nor_keep_one(job: Manifest) -> None:
    affinity = pod(job)["affinity"]["nodeAffinity"]
    assert affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == [
        {"matchExpressions": [{"key": GROUP_LABEL, "operator": "DoesNotExist"}]}
    ]


def test_as_many_as_the_stack_allows_fit_into_the_quota_and_not_one_more() -> None:
    jobs = [JOBS.master(), *[JOBS.worker("10.244.0.5")] * 3]
    hard = quota(CONFIG)["spec"]["hard"]
    for kind in ("requests", "limits"):
        for what, unit in (("cpu", "m"), ("memory", "Mi")):
            each = [pod(job)["containers"][0]["resources"][kind][what] for job in jobs]
            assert sum(int(value.removesuffix(unit)) for value in each) == int(
                hard[f"{kind}.{what}"].removesuffix(unit)
            )
    assert hard["pods"] == str(len(jobs))


def test_the_gateway_is_looked_for_where_it_is() -> None:
    assert GATEWAY_NAMESPACE == EDGE_NAMESPACE
    assert GATEWAY_LABELS["gateway.envoyproxy.io/owning-gateway-name"] == GATEWAY
