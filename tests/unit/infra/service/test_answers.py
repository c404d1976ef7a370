"""The resource that ends a deployment: when it waits, and when there is nothing to wait for."""

from __future__ import annotations

from typing import Any

import pytest

from infra.service.answers import AnswersProvider
from tidegate.deploy import gateway

ASKED = {"url": "http://127.0.0.1:8080", "cluster_id": "1", "image": "service:1"}


def diff(**news: Any) -> Any:
    return AnswersProvider().diff("1", ASKED, {**ASKED, **news})


def test_a_deployment_that_changes_nothing_does_not_wait() -> None:
    assert diff().changes is False


@pytest.mark.parametrize("news", [{"image": "service:2"}, {"url": "http://127.0.0.1:8081"}])
def test_other_pods_and_another_address_are_waited_for(news: dict[str, Any]) -> None:
    result = diff(**news)
    assert result.changes is True
    assert not result.replaces


def test_another_cluster_is_waited_for_anew() -> None:
    assert diff(cluster_id="2").replaces == ["cluster_id"]


def test_it_is_there_once_the_service_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[str] = []
    monkeypatch.setattr(gateway, "await_answers", waited.append)
    made = AnswersProvider().create({**ASKED, "__provider": "..."})
    assert (made.id, made.outs) == ("1", ASKED)
    assert AnswersProvider().update("1", ASKED, ASKED).outs == ASKED
    assert waited == [ASKED["url"]] * 2
