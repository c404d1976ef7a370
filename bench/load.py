"""Load from the other core: wrk keeps connections busy (closed loop), vegeta keeps a rate (open loop).

Both are single processes pinned to the generator's core. A run in which the generator itself used nine
tenths of that core measured the generator; it is kept, marked, and does not count.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bench.machine import session_cpu_s
from bench.raw import Sample
from bench.tools import Program
from tidegate.errors import TidegateError

SATURATED = 0.9
"""Share of its core from which a generator counts as saturated."""

_SCRIPT = Path(__file__).parent / "wrk.lua"
_MARK = "tidegate-json "
_NS_PER_MS = 1e6
_US_PER_MS = 1e3


@dataclass(frozen=True)
class Measured:
    """What a generator saw.

    Attributes:
        requests: answers that came.
        rps: of them, successes in a second.
        errors: requests without an answer, and answers that are no success.
        p50_ms: latency; of all answers with wrk, of successes and failures alike with vegeta.
        generator_share: the generator's own CPU, and that of what shares its core by design, in cores.
        statuses: answers by status, where the generator tells.
    """

    requests: int
    rps: float
    errors: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    generator_share: float = 0.0
    statuses: dict[str, int] | None = None

    def sample(self) -> Sample:
        """As part of a sample, marked when it does not count."""
        return asdict(self) | {"discarded": self.generator_share >= SATURATED}


def parse_wrk(output: str) -> Measured:
    """Read what wrk.lua prints at the end.

    Raises:
        TidegateError: there is no such line, so wrk did not come to its end.
    """
    lines = [line for line in output.splitlines() if line.startswith(_MARK)]
    if not lines:
        last = " ".join(output.strip().splitlines()[-2:])
        raise TidegateError(f"wrk gave no result: {last or 'no output'}")
    said: dict[str, Any] = json.loads(lines[-1].removeprefix(_MARK))
    failed = said["connect"] + said["read"] + said["write"] + said["status"] + said["timeout"]
    return Measured(
        requests=said["requests"],
        rps=(said["requests"] - said["status"]) / (said["duration_us"] / 1e6),
        errors=failed,
        **{f"{name}_ms": said[f"{name}_us"] / _US_PER_MS for name in ("mean", "p50", "p95", "p99", "max")},
    )


def parse_vegeta(report: str) -> Measured:
    """Read vegeta's JSON report.

    Raises:
        TidegateError: it is none.
    """
    try:
        said: dict[str, Any] = json.loads(report)
        latencies, requests = said["latencies"], said["requests"]
    except (ValueError, KeyError):
        raise TidegateError(f"vegeta gave no report: {report.strip()[:200] or 'no output'}") from None
    good = round(said["success"] * requests)
    names = {"mean": "mean", "p50": "50th", "p95": "95th", "p99": "99th", "max": "max"}
    return Measured(
        requests=requests,
        rps=said["throughput"],
        errors=requests - good,
        **{f"{ours}_ms": latencies[theirs] / _NS_PER_MS for ours, theirs in names.items()},
        statuses=said["status_codes"],
    )


class Generators:
    """Both, on their core.

    Args:
        sharers: sessions that run on that core by design (a balancer); their CPU counts as the generator's.
    """

    def __init__(self, core: int, wrk: Program, vegeta: Path, folder: Path) -> None:
        self._pin = ["taskset", "-c", str(core)]
        self._wrk, self._vegeta, self._folder = wrk, vegeta, folder

    def closed(
        self, url: str, *, connections: int, duration_s: float, sharers: Sequence[int] = ()
    ) -> Measured:
        """Keep so many connections busy for so long."""
        command = [str(self._wrk.path), "-t1", f"-c{connections}", f"-d{max(1, round(duration_s))}s"]
        command += ["--timeout", "10s", "-s", str(_SCRIPT), url]
        output, share = self._run(command, self._wrk.environment(), sharers)
        return replace(parse_wrk(output), generator_share=share)

    def open(
        self,
        targets: Sequence[Mapping[str, Any]],
        *,
        rate: float,
        duration_s: float,
        timeout_s: float = 10.0,
        sharers: Sequence[int] = (),
    ) -> Measured:
        """Send requests at a constant rate, however late the answers come.

        Args:
            targets: taken in turn: `method`, `url`, and where needed `header` (lists of values) and `body`.
            rate: requests a second.
        """
        file, results = self._folder / "targets.json", self._folder / "results.bin"
        file.write_text("".join(json.dumps(_target(item)) + "\n" for item in targets))
        # Vegeta counts in whole requests; a rate below one a second needs a longer unit.
        per_unit = f"{round(rate * 60)}/60s" if rate < 20 else f"{round(rate)}/1s"
        command = [str(self._vegeta), "-cpus", "1", "attack", "-format", "json", "-targets", str(file)]
        command += ["-rate", per_unit, "-duration", f"{duration_s:g}s", "-timeout", f"{timeout_s:g}s"]
        command += ["-max-workers", "4000", "-max-body", "0", "-output", str(results)]
        _, share = self._run(command, {}, sharers)
        report = subprocess.run(
            [str(self._vegeta), "report", "-type", "json", str(results)], capture_output=True, text=True
        )
        results.unlink(missing_ok=True)
        return replace(parse_vegeta(report.stdout), generator_share=share)

    def _run(
        self, command: Sequence[str], environment: Mapping[str, str], sharers: Sequence[int]
    ) -> tuple[str, float]:
        shared_s = sum(map(session_cpu_s, sharers))
        began_s = time.monotonic()
        output = self._folder / "generator.out"
        with output.open("wb") as out:
            child = subprocess.Popen(
                [*self._pin, *command], stdout=out, stderr=out, env={**os.environ, **environment}
            )
            _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took_s = time.monotonic() - began_s
        text = output.read_text(errors="replace")
        if child.returncode != 0:
            raise TidegateError(f"{command[0]} ended with {child.returncode}: {text.strip()[-300:]}")
        own_s = used.ru_utime + used.ru_stime + sum(map(session_cpu_s, sharers)) - shared_s
        return text, own_s / took_s


def _target(item: Mapping[str, Any]) -> dict[str, Any]:
    """Vegeta wants bodies in base64."""
    body = item.get("body")
    encoded = {"body": base64.b64encode(body.encode()).decode()} if body is not None else {}
    return {"method": "GET", **item, **encoded}
