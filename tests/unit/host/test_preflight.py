from __future__ import annotations

import socket

import pytest

from tidegate.errors import TidegateError
from tidegate.host.checks.resources import judge_memory
from tidegate.host.preflight import refuse, require_room
from tidegate.host.report import Check, Outcome


def test_a_taken_port_is_refused_before_anything_is_built() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        with pytest.raises(TidegateError, match=rf"gateway port: 127.0.0.1:{port} is taken.*Cure: end that"):
            require_room(cluster_name="nobody-has-this", gateway_port=port, api_port=None)


def test_too_little_memory_is_refused_in_one_line() -> None:
    with pytest.raises(TidegateError, match=r"memory: 1.0 GiB free. Cure: free memory until there are 6 GiB"):
        refuse([judge_memory(2**30, cluster_runs=False)])


def test_a_warning_refuses_nothing() -> None:
    refuse([Check(group="resources", name="memory", outcome=Outcome.WARN, found="5 GiB free")])
