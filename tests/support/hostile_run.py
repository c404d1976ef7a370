"""A run in which every name that the cluster, the client or the user may choose tries to become markup."""

from __future__ import annotations

import json
from pathlib import Path

from support.synthetic_run import NODES, T0, Pod, build_run

from tidegate.models import Check, Outcome, Plan, Verdict
from tidegate.run import RequestRow, RunReader, RunWriter, request_writer, save_plan, save_verdict

TEXT = "</script><script>window.pwned=1</script><img src=x onerror='window.pwned=2'>\"'`{{7*7}}<!--"


def build_hostile_run(folder: Path) -> Path:
    """Make the run in a new folder below `folder` and return its path."""
    pods = (
        Pod("tidegate-web-a", "web", NODES[0], -50.0, -49.9, -48.0, -46.0),
        Pod(f"tidegate-web-{TEXT}", "web", TEXT, 42.0, 42.1, 44.0, 46.0),
    )
    run = build_run(folder, pods=pods, notes=((1.0, "warning", TEXT, None), (2.0, "error", TEXT, 30.0)))
    plan = json.loads((run / "plan.json").read_text(encoding="utf-8"))
    plan["scenario"] = f"s{TEXT}"
    plan["scenario_parameters"] = {TEXT: TEXT, "nested": {"x": [TEXT]}}
    plan["versions"], plan["host"] = {TEXT: TEXT}, {TEXT: TEXT}
    save_plan(run, Plan.model_validate(plan, strict=False))
    with RunWriter(run) as writer:
        writer.fault(TEXT, "landed", {TEXT: TEXT}, t_s=T0 + 30)
    row = RequestRow(
        T0 + 5, T0 + 5, T0 + 5.2, "GET", f"GET /{TEXT}", 500, False, TEXT, f"tidegate-web-{TEXT}", TEXT, 9, 1
    )
    with request_writer(run, "hostile") as requests:
        for _ in range(50):
            requests.append(row)
    check = Check(
        name=TEXT, outcome=Outcome.NOT_HELD, measured=1.0, threshold=2.0, unit=TEXT, detail=TEXT, count=1
    )
    save_verdict(run, Verdict(outcome=Outcome.NOT_HELD, checks=(check,), reasons=(TEXT,)))
    assert RunReader(run).requests().height > 50
    return run
