"""Measure whether the generator records every request at a high rate, and what recording costs.

`python bench/load_record.py` prints JSON: requests sent, served and recorded, the generator's own lag at p99
and its busiest process, for a load at `--rate` against a server that does next to nothing; CPU milliseconds
a request of both sides; and microseconds of CPU a request that recording alone takes. The generator's CPU is
that of the processes that send, as they sample it themselves; with everything's start and the process that
directs them it is given beside. It needs a machine that is otherwise idle: server and generator share its
cores, and where they do not suffice the figures say so (`limits`).

    python bench/load_record.py --rate 5000 --seconds 60 --processes 2
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tidegate.load.drive import run_load
from tidegate.models import ClusterConfig, LatencyObjective, Plan, Policy, Slo, run_name
from tidegate.run import RunReader, new_run, save_plan
from tidegate.verdict.soundness import generator_lag

HERE = Path(__file__).parent
SERVER = HERE.parent / "tests" / "support" / "tiny_server.py"
ALONE = 100_000
SLO = Slo(
    availability_percent=99.9,
    latency=(LatencyObjective(route_group="all", routes=("GET /",), percentile=99, threshold_ms=100.0),),
)


def recording_us() -> dict[str, float]:
    """Return microseconds of CPU a request that the recorder takes: to note it, and to write it."""
    from tidegate.load.recorder import MARK, Mark, Recorder

    response = SimpleNamespace(status_code=200, headers={"X-Served-By": "web-1", "X-Request-Id": "r-1"})
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), lambda error: sys.exit(str(error)))
        began_s = time.process_time()
        for number in range(ALONE):
            mark = Mark(float(number), float(number), number % 100)
            recorder.on_request("GET", "GET /", 1.5, 2, response, {MARK: mark})
        noted_s = time.process_time()
        recorder.close()
        ended_s = time.process_time()
    scale = 1e6 / ALONE
    return {"note": round((noted_s - began_s) * scale, 2), "write": round((ended_s - noted_s) * scale, 2)}


def children_cpu_s() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(rate_rps: float, seconds: float, processes: int, loop: str) -> dict[str, Any]:
    """Load the tiny server and compare its count with the record."""
    created_s = time.time()
    plan = Plan(
        run_id=run_name(created_s, "bench"),
        created_s=created_s,
        scenario="get",
        policy=Policy(),
        slo=SLO,
        cluster=ClusterConfig(),
    )
    parameters = {
        "rate_rps": f"{rate_rps:g}",
        "get_s": f"{seconds:g}",
        "loop": loop,
        "rps": "50",
        "processes": str(processes),
        "max_requests": "2000000",
        "max_in_flight": "2000",
    }
    command = [sys.executable, str(SERVER)]
    with (
        tempfile.TemporaryDirectory() as root,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server,
    ):
        url = f"http://127.0.0.1:{int(server.stdout.readline() if server.stdout else '')}"
        folder = new_run(Path(root), plan)
        result = run_load(
            "get", run_dir=folder, host=url, parameters=parameters, progress=None, folder=HERE / "loadtests"
        )
        whole_s = children_cpu_s()  # the server is not counted: it has not ended yet
        told = json.loads(server.communicate()[0])
        if result.window_s is None:
            raise SystemExit("nothing was recorded")
        save_plan(folder, plan.with_load_window(*result.window_s))
        run = RunReader(folder)
        lag = generator_lag(run)
        if lag is None:
            raise SystemExit("nothing was recorded in the load window")
        requests = run.requests().height
        used = run.metrics("generator_cpu_cores")
        generator_s = float((used["value"] * used["window_s"]).sum())
        span_s = result.window_s[1] - result.window_s[0]
        return {
            "rate_rps": rate_rps,
            "seconds": seconds,
            "processes": processes,
            "loop": loop,
            "served": told["count"],
            "recorded": requests,
            "lost": told["count"] - requests,
            "failed": int((~run.requests()["ok"]).sum()),
            "unsent": lag.unsent,
            "recorded_rps": round(requests / span_s, 1),
            "generator_lag_p99_ms": round(lag.p99_ms, 2),
            "busiest_process_cores": None if lag.cpu_cores is None else round(lag.cpu_cores, 2),
            "cpu_ms_per_request": {
                "generator": round(generator_s * 1000 / requests, 4),
                "generator_with_start_and_master": round(whole_s * 1000 / requests, 4),
                "server": round(told["cpu_s"] * 1000 / told["count"], 4),
            },
            "limits": list(lag.limits),
        }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="The generator's recorder under load.")
    parser.add_argument("--rate", type=float, default=5000.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--loop", choices=("open", "closed"), default="open")
    given = parser.parse_args()
    load = measure(given.rate, given.seconds, given.processes, given.loop)
    print(json.dumps({"cores": os.cpu_count(), "recording_us": recording_us(), "load": load}, indent=1))


if __name__ == "__main__":
    main()
