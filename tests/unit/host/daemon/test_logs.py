from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.host.daemon.logs import begin_log, read_since, telling_line

INFO = 'time="2026-01-01T00:00:00Z" level=info msg="Starting up"\n'
ERROR = 'time="2026-01-01T00:00:00Z" level=error msg="no \\"overlay\\" here" storage-driver=overlay2\n'
FATAL = 'time="2026-01-01T00:00:00Z" level=fatal msg="out of luck"\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        (INFO, INFO.strip()),
        (INFO + ERROR + INFO, 'no "overlay" here'),
        (ERROR + "failed to start daemon: no bridge\n" + INFO, "failed to start daemon: no bridge"),
        (ERROR + FATAL, "out of luck"),
        (
            "unable to configure the Docker daemon with file x: unknown key\n",
            "unable to configure the Docker daemon with file x: unknown key",
        ),
        (INFO + ERROR + "containerd: cannot listen\n", "containerd: cannot listen"),
    ],
)
def test_the_line_that_says_why(text: str, line: str) -> None:
    assert telling_line(text) == line


def test_only_what_this_start_wrote(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert begin_log(log) == 0
    assert read_since(log, 0) == ""
    log.write_text("old\n")
    offset = begin_log(log)
    with log.open("a") as handle:
        handle.write("new\n")
    assert read_since(log, offset) == "new\n"


def test_an_overlong_log_is_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as handle:
        handle.truncate(9_000_000)
    assert begin_log(log) == 0
    assert not log.exists()
    assert (tmp_path / "log.1").stat().st_size == 9_000_000
