"""Tools that the tests of rules and dashboards call."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.promtool import promtool_program


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' checker, of the version that the cluster runs."""
    return promtool_program()
