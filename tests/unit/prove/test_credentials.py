from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.prove.credentials import demo_password


def kubectl(folder: Path, output: str, status: int = 0) -> dict[str, str]:
    """A kubectl that prints `output` when it is asked for the right Secret; as an environment."""
    program = folder / "kubectl"
    wanted = "get secret tidegate-demo -n tidegate -o jsonpath={.data.password}"
    program.write_text(f'#!/bin/sh\n[ "$*" = "{wanted}" ] || exit 9\nprintf %s "{output}"\nexit {status}\n')
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_the_password_is_the_one_the_cluster_has(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"drawn for the stack").decode()
    assert demo_password(kubectl(tmp_path, encoded)) == "drawn for the stack"


@pytest.mark.parametrize(("output", "status"), [("", 0), ("", 1), ("not base64!", 0)])
def test_without_it_there_is_an_error_with_a_cure(tmp_path: Path, output: str, status: int) -> None:
    with pytest.raises(TidegateError, match="tidegate up"):
        demo_password(kubectl(tmp_path, output, status))
