from __future__ import annotations

import threading
from collections.abc import Generator

import pytest
from support.shop import Shop

from tidegate.load.handover import PASSWORD_VARIABLE


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "a password that the shop takes")


@pytest.fixture
def shop() -> Generator[Shop]:
    with Shop() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
