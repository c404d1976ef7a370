from __future__ import annotations

import itertools

import pytest
from support.fake_nodes import LARGE, SMALL, FakeHost, Later

from tidegate.nodes.fleet import Fleet, Refused, UnknownGroup
from tidegate.nodes.marks import Mark, Stage


class Place:
    """A fleet over an engine that outlives it."""

    def __init__(self) -> None:
        self.host = FakeHost()
        self._numbers = itertools.count(1)
        self.restart()

    def restart(self) -> None:
        """The server is killed and started again: only the engine remembers."""
        self.workers = Later()
        self.fleet = Fleet(
            "demo",
            (SMALL, LARGE),
            self.host,
            self.workers,
            self.workers,
            name=lambda: str(next(self._numbers)),
        )

    def stages(self, group: str = "small") -> dict[str, Stage]:
        return {each.node: each.stage for each in self.fleet.nodes(group)}


@pytest.fixture
def place() -> Place:
    return Place()


def test_a_node_is_wanted_at_once_and_made_later(place: Place) -> None:
    place.fleet.increase("small", 2)
    assert place.stages() == {"demo-small-1": Stage.WANTED, "demo-small-2": Stage.WANTED}
    assert place.host.calls == []
    assert place.fleet.target("small") == 2
    place.workers.work()
    assert place.host.calls == [
        f"{what} demo-small-{number}" for what in ("start", "stock") for number in (1, 2)
    ]
    assert set(place.stages().values()) == {Stage.JOINED}


def test_groups_are_counted_apart(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.fleet.increase("large", 2)
    assert (place.fleet.target("small"), place.fleet.target("large")) == (1, 2)


def test_the_maximum_is_kept(place: Place) -> None:
    place.fleet.increase("small", 3)
    with pytest.raises(Refused, match="3 \\+ 1 is above the maximum 3"):
        place.fleet.increase("small", 1)
    assert place.fleet.target("small") == 3


@pytest.mark.parametrize("delta", [0, -1])
def test_an_increase_is_above_zero(place: Place, delta: int) -> None:
    with pytest.raises(Refused, match="above 0"):
        place.fleet.increase("small", delta)


def test_a_group_that_there_is_not(place: Place) -> None:
    with pytest.raises(UnknownGroup, match="'huge'"):
        place.fleet.increase("huge", 1)
    with pytest.raises(UnknownGroup):
        place.fleet.nodes("huge")


def test_a_removed_node_is_drained_discarded_and_forgotten(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.calls.clear()
    place.fleet.delete("small", ["demo-small-1"])
    assert place.fleet.target("small") == 0
    assert place.stages() == {"demo-small-1": Stage.DELETING}
    place.workers.work()
    assert place.host.calls == ["drain demo-small-1", "discard demo-small-1"]
    assert place.stages() == {}
    assert place.host.volumes == {}


def test_asking_twice_for_a_removal_removes_once(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.calls.clear()
    place.fleet.delete("small", ["demo-small-1"])
    place.fleet.delete("small", ["demo-small-1", "demo-small-9"])
    place.workers.work()
    place.fleet.delete("small", ["demo-small-1"])
    place.workers.work()
    assert place.host.calls == ["drain demo-small-1", "discard demo-small-1"]


def test_a_node_of_another_group_is_not_removed(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.fleet.increase("large", 1)
    place.workers.work()
    with pytest.raises(Refused, match="demo-large-2 is not a node of small"):
        place.fleet.delete("small", ["demo-small-1", "demo-large-2"])
    assert place.stages() == {"demo-small-1": Stage.JOINED}


def test_a_server_killed_before_a_node_was_begun_makes_it_after_its_return(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.restart()
    place.fleet.reconcile()
    place.workers.work()
    assert place.stages() == {"demo-small-1": Stage.JOINED}


def test_a_server_killed_while_a_node_was_made_makes_it_anew(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.host.running["demo-small-1"] = "small"  # the container is there, the node did not join
    place.restart()
    assert place.stages() == {"demo-small-1": Stage.WANTED}
    place.fleet.reconcile()
    place.workers.work()
    assert place.host.calls == ["start demo-small-1", "stock demo-small-1"]
    assert place.stages() == {"demo-small-1": Stage.JOINED}


def test_a_server_killed_during_a_removal_finishes_it(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.fleet.delete("small", ["demo-small-1"])
    place.restart()
    place.fleet.reconcile()
    place.workers.work()
    assert place.stages() == {}


def test_a_joined_node_is_left_alone_by_a_restart(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.calls.clear()
    place.restart()
    place.fleet.reconcile()
    place.workers.work()
    assert place.host.calls == []


def test_a_node_serves_though_it_could_not_be_given_every_image(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.host.failing["stock"] = "no space"
    place.fleet.increase("small", 1)
    place.workers.work()
    assert place.stages() == {"demo-small-1": Stage.JOINED}
    assert "lacks images that others have: no space" in caplog.text


def test_a_server_that_ends_stocks_no_more_nodes(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.fleet.end()
    place.workers.work()
    assert place.host.calls == ["start demo-small-1"]


def test_a_failure_is_kept_with_its_reason_and_cleaned_away(place: Place) -> None:
    place.host.failing["start"] = "kubeadm join failed:\n  no route"
    place.fleet.increase("small", 1)
    place.workers.work()
    (failed,) = place.fleet.nodes("small")
    assert (failed.stage, failed.note) == (Stage.FAILED, "kubeadm join failed: no route")
    assert place.host.calls == ["start demo-small-1", "discard demo-small-1"]
    assert place.fleet.target("small") == 1  # until the autoscaler deletes it


def test_a_failure_that_nobody_foresaw_is_told_too(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    def broken(node: str) -> None:
        raise KeyError

    place.host.during_start = broken
    place.fleet.increase("small", 1)
    place.workers.work()
    (failed,) = place.fleet.nodes("small")
    assert (failed.stage, failed.note) == (Stage.FAILED, "KeyError()")
    assert place.host.running == {}
    assert "Traceback" in caplog.text


def test_a_failure_is_not_tried_again(place: Place) -> None:
    place.host.failing["start"] = "no"
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.calls.clear()
    place.fleet.reconcile()
    place.workers.work()
    assert place.host.calls == []
    place.fleet.delete("small", ["demo-small-1"])
    place.workers.work()
    assert place.stages() == {}


def test_a_failed_removal_is_tried_again_at_the_next_round(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.failing["discard"] = "device busy"
    place.fleet.delete("small", ["demo-small-1"])
    place.workers.work()
    assert place.stages() == {"demo-small-1": Stage.DELETING}
    del place.host.failing["discard"]
    place.fleet.reconcile()
    place.workers.work()
    assert place.stages() == {}


def test_a_node_deleted_while_it_is_made_is_removed_afterwards(place: Place) -> None:
    place.host.during_start = lambda node: place.fleet.delete("small", [node])
    place.fleet.increase("small", 1)
    place.workers.work()
    assert place.host.calls == ["start demo-small-1", "drain demo-small-1", "discard demo-small-1"]
    assert place.stages() == {}


def test_a_node_deleted_before_it_is_made_is_never_made(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.fleet.delete("small", ["demo-small-1"])
    place.workers.work()
    assert "start demo-small-1" not in place.host.calls
    assert place.stages() == {}


def test_waiting_nodes_can_be_given_up(place: Place) -> None:
    place.fleet.increase("small", 3)
    place.fleet.decrease("small", -2)
    assert place.fleet.target("small") == 1
    place.workers.work()
    assert place.stages() == {"demo-small-1": Stage.JOINED}


def test_nodes_that_exist_are_not_given_up(place: Place) -> None:
    place.fleet.increase("small", 2)
    place.workers.work()
    with pytest.raises(Refused, match="0 nodes are waiting, 1 cannot be given up"):
        place.fleet.decrease("small", -1)
    with pytest.raises(Refused, match="below 0"):
        place.fleet.decrease("small", 1)
    assert place.fleet.target("small") == 2


def test_a_node_whose_container_somebody_removed_is_forgotten(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    del place.host.running["demo-small-1"]
    place.fleet.reconcile()
    place.workers.work()
    assert place.stages() == {}


def test_a_node_whose_marks_were_pruned_still_counts(place: Place) -> None:
    place.fleet.increase("small", 1)
    place.workers.work()
    place.host.volumes.clear()
    assert place.stages() == {"demo-small-1": Stage.JOINED}
    place.fleet.delete("small", ["demo-small-1"])
    place.workers.work()
    assert place.stages() == {}


def test_nodes_of_a_group_that_the_policy_dropped_are_removed(place: Place) -> None:
    place.host.running["demo-old-1"] = "old"
    place.host.put(Mark("demo-old-1", "old", Stage.JOINED))
    place.fleet.reconcile()
    place.workers.work()
    assert place.host.calls == ["drain demo-old-1", "discard demo-old-1"]
    assert place.host.volumes == {}
