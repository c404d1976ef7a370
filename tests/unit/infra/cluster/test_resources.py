from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pulumi.dynamic import dynamic

from infra.cluster import kind
from infra.cluster.kind import Presence
from infra.cluster.resources import KindClusterProvider, NodeImagesProvider, RandomPasswordProvider
from infra.service.answers import AnswersProvider
from tidegate.errors import TidegateError

ASKED = {"name": "demo", "config": "kind: Cluster", "owner": "tidegate/local"}
OLD: dict[str, Any] = {**ASKED, "containers": {"a": "1"}}
LOADED: dict[str, Any] = {"cluster_id": "1", "nodes": ["a"], "images": {"x:1": "sha256:1"}}

Found = Callable[[Presence], None]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Found:
    """Return a function that decides what is left of the cluster."""

    def decide(state: Presence) -> None:
        def presence(name: str, containers: Mapping[str, str]) -> Presence:
            return state

        monkeypatch.setattr(kind, "presence", presence)

    return decide


@pytest.mark.parametrize(
    "provider", [KindClusterProvider(), NodeImagesProvider(), RandomPasswordProvider(), AnswersProvider()]
)
def test_state_holds_a_reference_to_the_provider_and_no_code(provider: Any) -> None:
    serialize: Callable[[object], str] = vars(dynamic)["serialize_provider"]
    pickled = base64.b64decode(serialize(provider))
    assert type(provider).__module__.encode() in pickled
    assert len(pickled) < 120


class TestKindCluster:
    def diff(self, **news: Any) -> Any:
        return KindClusterProvider().diff("id", OLD, {**OLD, **news})

    def test_nothing_changes_while_it_runs(self, found: Found) -> None:
        found(Presence.RUNNING)
        assert self.diff().changes is False

    def test_it_is_started_when_it_stopped(self, found: Found) -> None:
        found(Presence.STOPPED)
        result = self.diff()
        assert result.changes is True
        assert not result.replaces

    def test_it_is_made_anew_when_it_is_gone(self, found: Found) -> None:
        found(Presence.GONE)
        assert self.diff().replaces == ["containers"]

    def test_it_is_made_anew_when_something_else_is_wanted(self, found: Found) -> None:
        found(Presence.RUNNING)
        assert self.diff(config="other").replaces == ["config"]

    @pytest.mark.parametrize("state", [Presence.GONE, Presence.RUNNING])
    def test_it_displaces_the_old_one(self, found: Found, state: Presence) -> None:
        # Deleting first would make Pulumi delete every object on it one by one.
        found(state)
        assert not self.diff(config="other").delete_before_replace

    def test_a_renamed_stack_keeps_its_cluster(self, found: Found) -> None:
        found(Presence.RUNNING)
        result = self.diff(owner="tidegate/renamed")
        assert result.changes is True
        assert not result.replaces

    def test_another_name_is_refused(self) -> None:
        with pytest.raises(TidegateError, match="the cluster demo cannot become other"):
            self.diff(name="other")

    def test_a_refresh_forgets_it_when_it_is_gone(self, found: Found) -> None:
        found(Presence.GONE)
        assert not KindClusterProvider().read("id", dict(OLD)).id
        found(Presence.STOPPED)
        assert KindClusterProvider().read("id", dict(OLD)).id == "id"


class TestNodeImages:
    def diff(self, **news: Any) -> Any:
        return NodeImagesProvider().diff("1", LOADED, {**LOADED, **news})

    def test_nothing_changed(self) -> None:
        assert self.diff().changes is False

    @pytest.mark.parametrize("news", [{"images": {"x:1": "sha256:2"}}, {"nodes": ["a", "b"]}])
    def test_new_content_and_new_nodes_are_loaded(self, news: dict[str, Any]) -> None:
        result = self.diff(**news)
        assert result.changes is True
        assert not result.replaces

    def test_another_cluster_starts_from_nothing(self) -> None:
        assert self.diff(cluster_id="2").replaces == ["cluster_id"]


class TestRandomPassword:
    def value(self, length: float) -> str:
        outs = RandomPasswordProvider().create({"length": length}).outs
        assert outs is not None
        return outs["value"]

    def test_letters_and_digits_only(self) -> None:
        # Pulumi hands every number over as a float.
        value = self.value(32.0)
        assert len(value) == 32
        assert value.isascii()
        assert value.isalnum()

    def test_no_two_are_equal(self) -> None:
        assert len({self.value(32) for _ in range(100)}) == 100

    def test_it_stays_unless_its_length_changes(self) -> None:
        provider = RandomPasswordProvider()
        old = {"length": 32.0, "value": "x"}
        assert provider.diff("id", old, {"length": 32.0}).changes is False
        assert provider.diff("id", old, {"length": 40.0}).replaces == ["length"]
