from __future__ import annotations

import json
from pathlib import Path

from tidegate.deploy.events import EventLog, OperationProgress, plain, short_name

URN = "urn:pulumi:local::tidegate::tidegate:infra:Data$kubernetes:core/v1:Service::Service/data/redis"


def event(kind: str, op: str, urn: str = URN) -> dict[str, object]:
    return {kind: {"metadata": {"op": op, "urn": urn}}}


def test_a_resource_is_current_from_its_start_to_its_end() -> None:
    progress = OperationProgress()
    progress.take(event("resourcePreEvent", "create"))
    assert progress.current() == "create Service Service/data/redis"
    progress.take(event("resOutputsEvent", "create"))
    assert progress.current() == ""
    assert progress.changed == {"create": 1}
    assert progress.done == 1


def test_what_stays_the_same_is_counted_but_never_current() -> None:
    progress = OperationProgress()
    progress.take(event("resourcePreEvent", "same"))
    assert progress.current() == ""
    progress.take(event("resOutputsEvent", "same"))
    assert progress.changed == {"same": 1}


def test_a_failed_step_is_over_and_its_error_kept() -> None:
    progress = OperationProgress()
    progress.take(event("resourcePreEvent", "create"))
    progress.take(event("resOpFailedEvent", "create"))
    message = "<{%reset%}>no room\n on the node<{%reset%}>\n"
    progress.take({"diagnosticEvent": {"severity": "error", "urn": URN, "message": message}})
    progress.take({"diagnosticEvent": {"severity": "warning", "urn": URN, "message": "mind"}})
    assert progress.current() == ""
    assert progress.errors == ["Service Service/data/redis: no room on the node"]


def test_more_than_three_current_resources_are_counted() -> None:
    progress = OperationProgress()
    for number in range(5):
        progress.take(event("resourcePreEvent", "create", f"{URN}{number}"))
    assert progress.current().endswith("and 2 more")


def test_an_incomplete_line_waits_for_its_rest(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    assert list(log.new_events()) == []
    first, second = json.dumps({"sequence": 1}), json.dumps({"sequence": 2})
    path.write_text(f"{first}\n{second[:5]}")
    assert list(log.new_events()) == [{"sequence": 1}]
    assert list(log.new_events()) == []
    path.write_text(f"{first}\n{second}\n")
    assert list(log.new_events()) == [{"sequence": 2}]


def test_names_and_messages_are_plain() -> None:
    assert short_name(URN) == "Service Service/data/redis"
    assert plain("<{%fg 1%}>bad<{%reset%}>  news\n") == "bad news"
    assert plain("an open <{% mark") == "an open <{% mark"
