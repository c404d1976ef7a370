"""The service's Dockerfile, and what the process does in the environment that it sets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.host.paths import project_root

ROOT = project_root()
TEXT = (ROOT / "images/service/Dockerfile").read_text()
STAGES = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]


def _environment() -> dict[str, str]:
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", STAGES[-1], re.MULTILINE)
    return dict(word.split("=", 1) for word in block.replace("\\\n", " ").split())


def test_the_last_stage_only_copies() -> None:
    assert len(STAGES) == 2
    assert "RUN" not in STAGES[-1], "what builds stays in the first stage"
    assert re.findall(r"^COPY .*$", STAGES[-1], re.MULTILINE) == [
        "COPY --from=build /bytecode/ /",
        "COPY --from=build /opt/tidegate/ /opt/tidegate/",
    ]


def test_it_runs_as_nobody_in_particular() -> None:
    (user,) = re.findall(r"^USER (\d+):(\d+)$", STAGES[-1], re.MULTILINE)
    assert all(int(number) >= 10_000 for number in user)


def test_nothing_is_fetched_or_resolved_while_it_is_built() -> None:
    for word in ("--no-index", "--no-deps"):
        assert word in STAGES[0]
    assert not re.search(r"apt-get|curl|wget|gcc", TEXT)


@pytest.mark.parametrize("module", ["app", "app.worker", "app.migrate"])
def test_without_secrets_it_refuses_in_one_line(module: str, tmp_path: Path) -> None:
    environment = _environment()
    assert environment["TIDEGATE_ENVIRONMENT"] == "production"
    # The image's folders are not here, this interpreter's are.
    environment |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", module],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode != 0
    (line,) = (done.stdout + done.stderr).splitlines()
    assert re.fullmatch(
        r"error: TIDEGATE_DATABASE_URL.* must be set when TIDEGATE_ENVIRONMENT is production", line
    )
