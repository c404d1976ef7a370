from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.core.logging import configure_logging, get_logger
from app.core.settings import load_settings


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def _lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_logger_writes_one_json_object_a_line() -> None:
    stream = io.StringIO()
    configure_logging(load_settings(pod_name="pod-9", node_name="node-3"), stream=stream)
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        get_logger("ours").info("order_taken", amount_cents=5)
    logging.getLogger("theirs").warning("not %s", "well")
    ours, theirs = _lines(stream)
    assert ours["event"] == "order_taken"
    assert (ours["amount_cents"], ours["request_id"], ours["level"]) == (5, "r-1", "info")
    assert (theirs["event"], theirs["logger"], theirs["level"]) == ("not well", "theirs", "warning")
    for line in (ours, theirs):
        assert (line["pod"], line["node"]) == ("pod-9", "node-3")
        assert str(line["timestamp"]).endswith("Z")


def test_an_exception_stays_on_its_line() -> None:
    stream = io.StringIO()
    configure_logging(load_settings(), stream=stream)
    try:
        int("bad\nnews")
    except ValueError:
        get_logger("ours").exception("failed")
    (line,) = _lines(stream)
    assert "ValueError" in json.dumps(line["exception"])


def test_the_level_holds_for_all() -> None:
    stream = io.StringIO()
    configure_logging(load_settings(log_level="WARNING"), stream=stream)
    get_logger("ours").info("quiet")
    logging.getLogger("theirs").info("quiet")
    assert stream.getvalue() == ""
