from __future__ import annotations

import io

import pytest
from rich.console import Console

from tidegate.host import progress
from tidegate.host.progress import step


def test_where_there_is_no_terminal_a_line_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    with step("Doing it", console=Console(file=written)) as tell:
        tell("detail")
    assert written.getvalue() == "Doing it ...\n"
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    with step("Doing it", console=Console(file=written)):
        pass
    assert written.getvalue().splitlines()[-1] == "Doing it: done in 0 s"


def test_a_terminal_shows_the_detail() -> None:
    written = io.StringIO()
    with step("Doing it", console=Console(file=written, force_terminal=True, width=80)) as tell:
        tell("half way")
    assert "Doing it" in written.getvalue()


def test_a_failure_is_not_called_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    written = io.StringIO()

    def failing() -> None:
        with step("Doing it", console=Console(file=written)):
            raise ValueError

    with pytest.raises(ValueError):
        failing()
    assert "done" not in written.getvalue()


def test_a_log_gets_the_detail_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    clock = iter([0.0, 0.0, 5.0, 19.9, 20.0, 20.0, 30.0, 41.0, 41.0, 42.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with step("Doing it", console=Console(file=written)) as tell:
        for detail in ("early", "almost", "first", "soon after", "second"):
            tell(detail)
    assert written.getvalue().splitlines()[:3] == ["Doing it ...", "  Doing it: first", "  Doing it: second"]
