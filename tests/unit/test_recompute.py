"""The independent checker agrees with the kit on every figure, and notices each one that is off."""

from __future__ import annotations

import copy
import json
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.synthetic_run import T0, Shape, build_run

from tidegate.lag import breakdown
from tidegate.run import (
    RunReader,
    hpa_series,
    latency_summary,
    peak_desired,
    peak_ready,
    pod_lives,
    ready_series,
    save_report,
    totals,
)

SCRIPT = Path(__file__).parents[1] / "recompute.py"
check: Callable[[list[str]], int] = runpy.run_path(str(SCRIPT), run_name="recompute")["main"]


def figures(folder: Path) -> dict[str, Any]:
    run = RunReader(folder)
    counted = totals(run)
    start_s = run.plan.load_window_s[0] if run.plan.load_window_s else float("-inf")
    return {
        "totals": {
            "requests": counted.requests,
            "failed": counted.failed,
            "availability_percent": counted.availability_percent,
        },
        "latency_ms": {
            one.route_group: {
                "p50": one.p50_ms,
                "p95": one.p95_ms,
                "p99": one.p99_ms,
                "from_start": {
                    "p50": one.service_p50_ms,
                    "p95": one.service_p95_ms,
                    "p99": one.service_p99_ms,
                },
            }
            for one in latency_summary(run)
        },
        "peak_ready_web": peak_ready(ready_series(run), start_s) if pod_lives(run, "web") else None,
        "peak_desired_web": peak_desired(hpa_series(run), start_s) if hpa_series(run) else None,
        "scale_events": [
            {
                "t_s": event.t_s,
                "from": event.from_replicas,
                "to": event.to_replicas,
                "total_s": event.total_s,
                "parts": event.parts_s,
            }
            for event in breakdown(run)
        ],
        "load_window_s": run.plan.load_window_s,
    }


def report(folder: Path, data: dict[str, Any]) -> None:
    save_report(
        folder, f'<html><script type="application/json" id="report-data">{json.dumps(data)}</script></html>'
    )


def as_program(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")


def unready_pods() -> tuple[Any, ...]:
    return tuple(
        replace(pod, ready=None, deleting=None, gone=None) if pod.name == "tidegate-web-new5" else pod
        for pod in Shape().pods
    )


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"failures": 61, "latency_factor": 2.7},
        {"load_window": False},
        {"metrics": False},
        {"cluster": False},
        {"pods": unready_pods()},
        {"stride": 7},
    ],
    ids=lambda overrides: "-".join(overrides) or "default",
)
def test_kit_and_checker_agree(
    tmp_path: Path, overrides: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = build_run(tmp_path, **overrides)
    report(folder, figures(folder))
    assert (check([str(folder)]), capsys.readouterr().err) == (0, "")


def _set(*path: str | int) -> Callable[[dict[str, Any], Any], None]:
    def change(data: dict[str, Any], value: Any) -> None:
        inner: Any = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "value", "named"),
    [
        (_set("totals", "requests"), 7601, "totals.requests"),
        (_set("totals", "failed"), 5, "totals.failed"),
        (_set("totals", "availability_percent"), 99.95, "totals.availability_percent"),
        (_set("latency_ms", "orders", "p95"), 1634.2, "latency_ms.orders.p95"),
        (_set("latency_ms", "writes"), {"p50": 1, "p95": 1, "p99": 1}, "latency_ms.writes"),
        (_set("peak_ready_web"), 8, "peak_ready_web"),
        (_set("peak_desired_web"), 10, "peak_desired_web"),
        (_set("scale_events", 0, "t_s"), T0 + 41.26, "scale_events[0].t_s"),
        (_set("scale_events", 1, "to"), 8, "scale_events[1].to"),
        (_set("scale_events", 2, "total_s"), 8.62, "scale_events[2].total_s"),
        (_set("scale_events", 0, "parts", "ready"), 2.26, "scale_events[0].parts.ready"),
        (_set("scale_events", 0, "total_s"), None, "scale_events[0].total_s"),
        (_set("scale_events"), [], "scale_events"),
        (_set("load_window_s"), [T0, T0 + 239], "load_window_s[1]"),
    ],
)
def test_a_wrong_figure_is_named(
    tmp_path: Path,
    change: Callable[[dict[str, Any], Any], None],
    value: Any,
    named: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = build_run(tmp_path)
    data = copy.deepcopy(json.loads(json.dumps(figures(folder))))
    change(data, value)
    report(folder, data)
    assert check([str(folder)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"{named}:")


def test_rounding_of_a_report_is_no_difference(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    data = figures(folder)
    for group in data["latency_ms"].values():
        for figures_of in (group, group["from_start"]):
            numbers = {name: value for name, value in figures_of.items() if name != "from_start"}
            figures_of.update({name: round(value, 1) for name, value in numbers.items()})
    for event in data["scale_events"]:
        event["total_s"] = round(event["total_s"], 3)
    report(folder, data)
    assert check([str(folder)]) == 0


def test_it_is_a_program(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    report(folder, figures(folder))
    done = as_program(folder)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "report.html").unlink()
    done = as_program(folder)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1


def test_the_checker_imports_nothing_of_the_kit() -> None:
    assert "tidegate" not in [
        line.split()[1].split(".")[0]
        for line in SCRIPT.read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
