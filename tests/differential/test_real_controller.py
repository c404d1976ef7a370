"""Random histories decided by the real controller and by `tidegate.simulate.hpa`: all must agree.

`TIDEGATE_DIFFERENTIAL_SYNCS` sets about how many syncs are made, `TIDEGATE_DIFFERENTIAL_SEED` where the
histories begin.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from differential.compare import CONTROLLER
from differential.control_plane import PROGRAMS
from differential.harness import bench, shown
from support.own_engine import lacking

from tidegate.errors import TidegateError
from tidegate.images import ensure_programs

pytestmark = [pytest.mark.integration, pytest.mark.timeout(3600)]

SYNCS_EACH = 14
SYNCS = int(os.environ.get("TIDEGATE_DIFFERENTIAL_SYNCS") or 200)
FIRST = int(os.environ.get("TIDEGATE_DIFFERENTIAL_SEED") or 1)
AT_ONCE = 24
LARGE = 5000
"""From so many syncs on every branch must have been reached."""

_KINDS = ("Resource, percent", "Resource, amount", "ContainerResource, percent", "ContainerResource, amount")
_PODS = ("ratio", "tolerance", "filled in", "filled in, tolerance", "would turn", "would move against")
_OUTSIDE = ("Object, value", "Object, average", "External, value", "External, average")
_LIMITS = ("TooManyReplicas, limited", "ScaleUpLimit, limited", "DesiredWithinRange, not limited")
EVERY_BRANCH = {
    *(f"{kind}: {because}" for kind in (*_KINDS, "Pods, amount") for because in _PODS[:5]),
    *(f"{kind}: {because}" for kind in _OUTSIDE for because in ("ratio", "tolerance")),
    *(f"{kind}: invalid" for kind in ("Resource", "ContainerResource", "Pods", "Object", "External")),
    "Resource, percent: would move against",
    *(f"pods {name}" for name in ("ready", "unready", "missing", "ignored")),
    *(f"{rules} behavior: {limit}" for rules in ("with", "without") for limit in _LIMITS),
    *(f"{rules} behavior: rescaled {way}" for rules in ("with", "without") for way in ("up", "down")),
    *(f"with behavior: {name}" for name in ("ScaleUpStabilized", "ScaleDownStabilized", "ReadyForNewScale")),
    "with behavior: ScaleDownLimit, limited",
    "with behavior: TooFewReplicas, limited",
    "without behavior: TooFewReplicas, limited",
    "without behavior: ScaleDownStabilized",
    *(f"why: {why}" for why in ("metrics", "no valid metric", "disabled", "above maximum", "below minimum")),
    "fault: FailedGetScale",
    "fault: FailedUpdateScale",
    "metrics at zero replicas",
}


@pytest.fixture
def programs() -> dict[str, Path]:
    """The control plane's programs: built where nothing may go untested, else those that are there."""
    lacking([] if shutil.which("openssl") else ["openssl"])
    make = os.environ.get("CI") == "true" or "TIDEGATE_DIFFERENTIAL_SYNCS" in os.environ
    try:
        return ensure_programs(PROGRAMS, make=make)
    except TidegateError as error:
        if make:
            raise
        lacking([str(error)])
        raise


def test_every_sync_is_decided_as_the_real_controller_does(programs: dict[str, Path], tmp_path: Path) -> None:
    histories = max(1, round(SYNCS / SYNCS_EACH))
    with bench(programs, tmp_path, AT_ONCE) as running:
        record = running.record(range(FIRST, FIRST + histories), SYNCS_EACH, min(AT_ONCE, histories))
    result = record.compared()
    print(shown(result))
    assert not result.differences, "\n".join(result.differences[:20])
    assert result.syncs >= histories * SYNCS_EACH / 2, "too few syncs had a known moment"
    if SYNCS >= LARGE:
        assert not EVERY_BRANCH - set(+result.reached), "branches that no history reached"
    # The same record against a controller with other flags: the comparison must see what changed.
    others = (
        replace(CONTROLLER, tolerance=0.45),
        replace(CONTROLLER, downscale_stabilization_ns=0),
        replace(CONTROLLER, cpu_initialization_ns=0),
    )
    assert all(record.compared(other).differences for other in others), "a difference went unseen"
