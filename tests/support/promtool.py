"""Prometheus' own checker, told about rules and time."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tidegate.errors import TidegateError
from tidegate.images.ensure import ensure_tools


def promtool_program() -> Path:
    """promtool from the project's own catalogue, in the user's cache: built once for all runs.

    Skips where it cannot be built; in continuous integration that is a failure.
    """
    try:
        return ensure_tools(["promtool"])["promtool"]
    except TidegateError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no promtool can be built: {error}")


def check_rules(program: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """Parse a rules file, every expression in it included."""
    return _run(program, "check", "rules", str(file))


def try_rules(
    program: Path, folder: Path, rules: str, cases: Sequence[Mapping[str, Any]], *, every: str = "30s"
) -> subprocess.CompletedProcess[str]:
    """Let the rules run over invented series and compare what they bring with what is expected.

    Args:
        every: how often they are looked at; promtool does not heed the groups' own intervals.
    """
    (folder / "rules.yml").write_text(rules)
    cases_file = folder / "cases.yml"
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": every,
        # Else by chance: alerts would now and then be looked at before what they look at is recorded.
        "group_eval_order": [group["name"] for group in yaml.safe_load(rules)["groups"]],
        "tests": list(cases),
    }
    cases_file.write_text(yaml.safe_dump(document, sort_keys=False))
    return _run(program, "test", "rules", str(cases_file))


def _run(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(program), *words], capture_output=True, text=True, check=False, timeout=500)


def counter(*segments: tuple[int, float]) -> str:
    """A counter in promtool's notation: for so many samples, so much more each."""
    parts: list[str] = []
    value = 0.0
    for samples, step in segments:
        parts.append(f"{value:g}+{step:g}x{samples - 1}")
        value += step * samples
    return " ".join(parts)
