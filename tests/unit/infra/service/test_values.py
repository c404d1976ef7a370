from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.data.postgres import MAX_CONNECTIONS
from infra.service.values import chart_values, merge, pool_size
from tidegate.errors import TidegateError
from tidegate.models.policy import HpaPolicy, NginxPolicy, Policy, WebPolicy, WorkerPolicy


def policy(max_replicas: int, workers: int = 1) -> Policy:
    return Policy(
        web=WebPolicy(hpa=HpaPolicy(min_replicas=1, max_replicas=max_replicas)),
        worker=WorkerPolicy(replicas=workers),
    )


def test_merge_goes_down_mappings_and_replaces_all_else() -> None:
    base = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert merge(base, {"a": {"c": [2], "e": 3}, "d": None}) == {"a": {"b": 1, "c": [2], "e": 3}, "d": None}
    assert base == {"a": {"b": 1, "c": [1]}, "d": 1}


def test_the_image_is_split_at_its_tag() -> None:
    assert chart_values(policy(4), "registry.example:5000/shop/web:abc")["image"] == {
        "repository": "registry.example:5000/shop/web",
        "tag": "abc",
    }


def test_the_policys_own_values_stay() -> None:
    values = chart_values(policy(4), "x:1")
    assert values["hpa"]["maxReplicas"] == 4
    assert values["web"]["preStopSeconds"] == 5
    assert values["web"]["dbPoolSize"] == 5


@given(max_replicas=st.integers(1, 150), workers=st.integers(0, 50))
def test_all_pods_that_can_exist_fit_into_the_database(max_replicas: int, workers: int) -> None:
    try:
        size = pool_size(policy(max_replicas, workers))
    except TidegateError:
        # One connection and the readiness probe's for each pod, a rolling update's quarter included.
        assert (max_replicas * 1.25 + workers) * 2 > MAX_CONNECTIONS - 12
        return
    assert 1 <= size <= 5
    assert (max_replicas * 1.25 + workers) * (size + 1) < MAX_CONNECTIONS


def test_too_many_pods_are_refused_by_the_key_that_asks_for_them() -> None:
    with pytest.raises(TidegateError, match=r"web\.hpa\.max_replicas"):
        pool_size(policy(100))


def test_nginx_runs_what_the_catalogue_names_where_the_policy_asks_for_it() -> None:
    asked = Policy(web=WebPolicy(nginx=NginxPolicy(enabled=True)))
    assert chart_values(asked, "x:1", nginx_image="y:2")["web"]["nginx"] == {
        "enabled": True,
        "image": "y:2",
        "resources": {"requests": {"cpu": "20m", "memory": "24Mi"}, "limits": {"memory": "64Mi"}},
    }
    assert chart_values(policy(4), "x:1")["web"]["nginx"]["enabled"] is False
