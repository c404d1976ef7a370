"""Recompute a run's headline figures from its raw files and compare them with what its report says.

    python tests/recompute.py runs/<run>

Nothing of the kit is imported: an error in its readers or views cannot excuse itself here. Polars only opens
the Parquet files; all arithmetic is done on plain lists. Exit status: 0 all agree, 1 some differ (one line
each), 3 the folder cannot be read.

The rules, written anew:
- requests: those whose intended start lies within `plan.load_window_s`, ends included
- percentiles: nearest-rank, the value at rank ceil(p/100 * n) of the sorted values; latency is
  end - intended start, and end - start as `from_start`; a route without an objective is in group "other"
- a pod's times: receipt of the watch event that first shows them; if more than 2 s after the second the
  API names, the middle of that second; raised where needed so that they never decrease
- Ready pods: Ready and not being deleted; the peak counts from the start of the load; null when no web
  pod (no status of the HPA) was recorded
- scale events: changes of the HPA's desiredReplicas from the start of the load on; decided at the first
  receipt of the new size since the status before, be it status, Deployment or SuccessfulRescale
- way up: sample, visible, decided, created, scheduled, started, ready, first request; of the pod that was
  Ready last. Way down: decided, deleting, drained, gone; of the pod that was gone last
"""

# Raw JSON has no types, and giving it some is what this script leaves to the kit:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

# Half of the last digit that a report may round to: milliseconds, tenths of one, thousandths of a percent.
SECONDS_TOLERANCE, MS_TOLERANCE, PERCENT_TOLERANCE = 0.00051, 0.051, 0.00051
UP = ("metric", "decision", "create", "schedule", "start", "ready", "first_request")
DOWN = ("deleting", "drained", "gone")
FOREVER = float("inf")


def lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON Lines; a torn last line is left out."""
    if not path.exists():
        return []
    raw = path.read_bytes().split(b"\n")
    found = [json.loads(line) for line in raw[:-1]]
    try:
        return [*found, json.loads(raw[-1])]
    except ValueError:
        return found


def rows(folder: Path) -> list[dict[str, Any]]:
    """Read all rows of all closed segments."""
    return [
        row
        for path in sorted(folder.glob("[!.]*.parquet"))
        for row in pl.read_parquet(path).iter_rows(named=True)
    ]


def percentile(values: list[float], p: int) -> float:
    """Nearest-rank."""
    ordered = sorted(values)
    rank = -(-p * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def percentiles(values: list[float]) -> dict[str, float]:
    """The three that are shown."""
    return {f"p{p}": percentile(values, p) for p in (50, 95, 99)}


def get(value: Any, *path: str) -> Any:
    """Follow keys, or None."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def api_time(text: Any) -> float | None:
    """Unix seconds of an API time."""
    return datetime.fromisoformat(text).timestamp() if text else None


def status_of(pod: dict[str, Any], kind: str) -> dict[str, Any]:
    """A condition that is True, or nothing."""
    for condition in get(pod, "status", "conditions") or []:
        if condition.get("type") == kind and condition.get("status") == "True":
            return condition
    return {}


def start_of(container: dict[str, Any]) -> dict[str, Any] | None:
    """The state in which a container has been started, or None."""
    for path in (("state", "running"), ("state", "terminated"), ("lastState", "terminated")):
        if (found := get(container, *path)) is not None:
            return found
    return None


class Pod:
    """Marks and Ready spans of one pod."""

    def __init__(self) -> None:
        self.name, self.component = "", ""
        self.at: dict[str, float] = {}
        self.spans: list[list[float]] = []

    def set(self, mark: str, api_s: float | None, received_s: float, *after: str) -> None:
        if mark not in self.at:
            late = api_s is not None and received_s - api_s > 3.0
            when = api_s + 0.5 if late and api_s is not None else received_s
            self.at[mark] = max([when] + [self.at[name] for name in after if name in self.at])

    def feed(self, kind: str, t: float, pod: dict[str, Any]) -> None:
        meta = pod["metadata"]
        self.name = meta["name"]
        self.component = get(meta, "labels", "app.kubernetes.io/component") or self.component
        self.set("created", api_time(meta.get("creationTimestamp")), t)
        if scheduled := status_of(pod, "PodScheduled"):
            self.set("scheduled", api_time(scheduled.get("lastTransitionTime")), t, "created")
        containers = [start_of(one) for one in get(pod, "status", "containerStatuses") or []]
        if containers and all(one is not None for one in containers):
            begun = [api_time((one or {}).get("startedAt")) for one in containers]
            self.set("started", max((b for b in begun if b), default=None), t, "created", "scheduled")
        ready = status_of(pod, "Ready")
        if ready:
            self.set("ready", api_time(ready.get("lastTransitionTime")), t, "created", "scheduled", "started")
        if meta.get("deletionTimestamp"):
            grace = meta.get("deletionGracePeriodSeconds")
            ends = api_time(meta["deletionTimestamp"])
            self.set(
                "deleting", ends - grace if ends is not None and grace is not None else None, t, "created"
            )
        if kind == "DELETED":
            self.set("deleting", None, t, "created")
            self.set("gone", None, t, "deleting")
        serving, running = (
            bool(ready) and "deleting" not in self.at,
            bool(self.spans) and self.spans[-1][1] == FOREVER,
        )
        if serving and not running:
            self.spans.append([t if self.spans else self.at["ready"], FOREVER])
        elif running and not serving:
            self.spans[-1][1] = max(self.spans[-1][0], min(t, self.at.get("deleting", t)))


def read_pods(cluster: list[dict[str, Any]]) -> list[Pod]:
    """All web pods in the order of creation."""
    pods: dict[str, Pod] = defaultdict(Pod)
    for record in sorted((r for r in cluster if r["kind"] == "Pod"), key=lambda r: r["received_s"]):
        meta = record["object"]["metadata"]
        pods[meta.get("uid") or meta["name"]].feed(record["type"], record["received_s"], record["object"])
    return sorted((p for p in pods.values() if p.component == "web"), key=lambda p: (p.at["created"], p.name))


def peak(steps: list[tuple[float, int]], start_s: float) -> int:
    """Highest level from `start_s` on; `steps` are (time, level) in order."""
    standing = [level for t, level in steps if t <= start_s][-1:]
    return max(standing + [level for t, level in steps if t > start_s], default=0)


def ready_steps(pods: list[Pod]) -> list[tuple[float, int]]:
    """Levels of the number of Ready pods."""
    edges = sorted({edge for pod in pods for span in pod.spans for edge in span if edge != FOREVER})
    return [(t, sum(begin <= t < end for pod in pods for begin, end in pod.spans)) for t in edges]


def read_hpa(cluster: list[dict[str, Any]]) -> list[tuple[float, int, int | None]]:
    """Receipt, desired and CPU percent of each status of the web HPA."""
    found: list[tuple[float, int, int | None]] = []
    for record in cluster:
        hpa = record["object"]
        if record["kind"] == "HorizontalPodAutoscaler" and get(hpa, "metadata", "name") == "tidegate-web":
            if record["type"] == "DELETED":
                continue
            percent = None
            for metric in get(hpa, "status", "currentMetrics") or []:
                source = metric.get("resource") or metric.get("containerResource") or {}
                if source.get("name") == "cpu" and percent is None:
                    percent = get(source, "current", "averageUtilization")
            found.append((record["received_s"], get(hpa, "status", "desiredReplicas") or 0, percent))
    return sorted(found, key=lambda point: point[0])


def announcements(cluster: list[dict[str, Any]]) -> list[tuple[float, int]]:
    """Receipt and size of each sign of a new size outside the HPA's status."""
    found: list[tuple[float, int]] = []
    for record in cluster:
        obj, t = record["object"], record["received_s"]
        if record["type"] == "SNAPSHOT":
            continue
        if record["kind"] == "Deployment" and get(obj, "metadata", "name") == "tidegate-web":
            found.append((t, get(obj, "spec", "replicas")))
        if record["kind"] == "Event" and obj.get("reason") == "SuccessfulRescale":
            about = obj.get("involvedObject") or obj.get("regarding") or {}
            size = re.search(r"New size: (\d+)", obj.get("message") or obj.get("note") or "")
            said = api_time(obj.get("eventTime")) or api_time(obj.get("lastTimestamp")) or t
            if about.get("name") == "tidegate-web" and size and t - said <= 5:
                found.append((t, int(size[1])))
    return found


def decisions(cluster: list[dict[str, Any]]) -> list[tuple[float, int, int, int | None]]:
    """(decided, from, to, percent) of every change of size."""
    points = [point for point in read_hpa(cluster) if point[1] > 0]
    said = announcements(cluster)
    found: list[tuple[float, int, int, int | None]] = []
    for (t0, old, _), (t1, new, percent) in pairwise(points):
        if old != new:
            found.append(
                (min([t1] + [t for t, size in said if size == new and t0 <= t <= t1]), old, new, percent)
            )
    return found


def cause(
    samples: list[tuple[float, float, str, float]], decided: float, percent: int | None, request: float
) -> list[float]:
    """Sample and visible time of what led to a decision; `samples` are (t, first received, series, cores)."""

    def fits(rows_: list[tuple[float, float, str, float]]) -> bool:
        newest: dict[str, tuple[float, float]] = {}
        for t, _, series, cores in sorted(rows_):
            newest[series] = (t, cores)
        if not newest or percent is None:
            return False
        latest = max(t for t, _ in newest.values())
        used = [cores for t, cores in newest.values() if t > latest - 30]
        return abs(int(sum(used) * 100 / (request * len(used))) - percent) <= 1

    seen = [row for row in samples if row[1] <= decided]
    soon = [row for row in samples if row[1] <= decided + 3 and row[0] <= decided]
    if len(soon) > len(seen) and not fits(seen) and fits(soon):
        seen = soon
    if not seen:
        return []
    newest = max(t for t, *_ in seen)
    visible = min(min(received for t, received, *_ in seen if t == newest), decided)
    return [min(newest, visible), visible]


def path(marks: list[float | None], parts: tuple[str, ...]) -> dict[str, Any]:
    """Parts and total of a list of marks, each raised to those before."""
    if None in marks:
        return {"total_s": None, "parts": None}
    raised: list[float] = []
    for mark in marks:
        raised.append(max([mark or 0.0, *raised]))
    split = {name: after - before for name, before, after in zip(parts, raised, raised[1:], strict=False)}
    return {"total_s": raised[-1] - raised[0], "parts": split}


def scale_events(
    folder: Path, plan: dict[str, Any], cluster: list[dict[str, Any]], requests: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """All scale events from the start of the load on."""
    pods = read_pods(cluster)
    names = {pod.name for pod in pods}
    served: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in requests:
        served[row["pod"]].append((row["start_s"], row["end_s"]))
    first_seen: dict[tuple[float, str], tuple[float, float]] = {}
    for row in rows(folder / "metrics"):
        if row["name"] == "pod_cpu_cores" and json.loads(row["labels"]).get("pod") in names:
            key = (row["t_s"], row["labels"])
            first_seen[key] = min(first_seen.get(key, (FOREVER, 0.0)), (row["received_s"], row["value"]))
    samples = [(t, received, series, cores) for (t, series), (received, cores) in first_seen.items()]
    found: list[dict[str, Any]] = []
    changes = decisions(cluster)
    for number, (decided, old, new, percent) in enumerate(changes):
        until = changes[number + 1][0] - 0.5 if number + 1 < len(changes) else FOREVER
        if decided < (plan["load_window_s"] or [-FOREVER])[0]:
            continue
        if new > old:
            led = cause(samples, decided, percent, plan["policy"]["web"]["cpu_request_m"] / 1000)
            wanted = [pod for pod in pods if decided - 0.5 <= pod.at["created"] < until][: new - old]
            missing = len(wanted) < new - old or any("ready" not in pod.at for pod in wanted)
            last = max(wanted, key=lambda pod: (pod.at.get("ready", FOREVER), pod.name), default=None)
            event = path([None], UP)
            complete = not missing
            for pod in wanted:
                starts = [begin for begin, end in served[pod.name] if end >= pod.at.get("ready", FOREVER)]
                order = ("created", "scheduled", "started", "ready")
                marks = [
                    *(led or [None, None]),
                    decided,
                    *(pod.at.get(mark) for mark in order),
                    min(starts, default=None),
                ]
                own = path(marks, UP)
                complete = complete and own["total_s"] is not None
                event = own if pod is last else event
        else:
            gone = sorted(
                (pod for pod in pods if decided - 0.5 <= pod.at.get("deleting", -FOREVER) < until),
                key=lambda pod: (pod.at["deleting"], pod.name),
            )[: old - new]
            complete = len(gone) == old - new and all("gone" in pod.at for pod in gone)
            last = max(gone, key=lambda pod: (pod.at.get("gone", FOREVER), pod.name), default=None)
            event = path([None], DOWN)
            if last is not None and "gone" in last.at:
                drained = max([last.at["deleting"]] + [end for _, end in served[last.name]])
                event = path(
                    [decided, last.at["deleting"], min(drained, last.at["gone"]), last.at["gone"]], DOWN
                )
        event = event if complete else {"total_s": None, "parts": None}
        found.append({"t_s": decided, "from": old, "to": new, **event})
    return found


def recompute(folder: Path) -> dict[str, Any]:
    """All headline figures of the run in `folder`."""
    plan = json.loads((folder / "plan.json").read_text())
    window = plan["load_window_s"]
    cluster, everything = lines(folder / "cluster.jsonl"), rows(folder / "requests")
    pods, hpa = read_pods(cluster), read_hpa(cluster)
    start_s = window[0] if window else -FOREVER
    counted = [r for r in everything if not window or window[0] <= r["intended_start_s"] <= window[1]]
    group_of = {route: o["route_group"] for o in plan["slo"]["latency"] for route in o["routes"]}
    took: dict[str, list[float]] = defaultdict(list)
    served: dict[str, list[float]] = defaultdict(list)
    for row in counted:
        group = group_of.get(row["route"], "other")
        took[group].append((row["end_s"] - row["intended_start_s"]) * 1000)
        served[group].append((row["end_s"] - row["start_s"]) * 1000)
    failed = sum(not row["ok"] for row in counted)
    good = Fraction(100 * (len(counted) - failed), len(counted)) if counted else None
    return {
        "totals": {
            "requests": len(counted),
            "failed": failed,
            "availability_percent": None if good is None else float(good),
        },
        "latency_ms": {
            group: {**percentiles(values), "from_start": percentiles(served[group])}
            for group, values in took.items()
        },
        "peak_ready_web": peak(ready_steps(pods), start_s) if pods else None,
        "peak_desired_web": peak([(t, desired) for t, desired, _ in hpa], start_s) if hpa else None,
        "scale_events": scale_events(folder, plan, cluster, everything),
        "load_window_s": window,
    }


class _ReportData(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.inside, self.text = False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag == "script" and dict(attrs).get("id") == "report-data"

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        self.text += data if self.inside else ""


def report_data(html: str) -> dict[str, Any]:
    """The JSON that the report carries."""
    parser = _ReportData()
    parser.feed(html)
    return json.loads(parser.text)


def _tolerance(where: str) -> float:
    if where.startswith("latency_ms"):
        return MS_TOLERANCE
    if where.endswith("availability_percent"):
        return PERCENT_TOLERANCE
    return SECONDS_TOLERANCE if "_s" in where or ".parts." in where else 0.0


def differences(said: Any, found: Any, where: str = "") -> list[str]:
    """What the report says otherwise than the raw files; further keys in the report are its own."""
    if isinstance(found, dict):
        if not isinstance(said, dict):
            return [f"{where}: report {said!r}, raw files {found!r}"]
        return [
            line
            for key in found
            for line in differences(said.get(key), found[key], f"{where}.{key}".strip("."))
        ]
    if isinstance(found, list):
        if not isinstance(said, list) or len(said) != len(found):
            return [f"{where}: report {said!r}, raw files {found!r}"]
        return [line for i, one in enumerate(found) for line in differences(said[i], one, f"{where}[{i}]")]
    if where.endswith(".parts") and found is None:
        return []  # an event with a missing mark has no total to add up to; its known parts are not judged
    numbers = isinstance(found, int | float) and isinstance(said, int | float) and not isinstance(said, bool)
    agree = abs(said - found) <= _tolerance(where) if numbers else said == found
    return [] if agree else [f"{where}: report {said!r}, raw files {found!r}"]


def main(arguments: list[str]) -> int:
    """Compare; see the module's docstring."""
    if len(arguments) != 1:
        print("usage: recompute.py <run folder>", file=sys.stderr)
        return 3
    folder = Path(arguments[0])
    try:
        found = recompute(folder)
        said = report_data((folder / "report.html").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        print(f"cannot read {folder}: {type(error).__name__}: {error}", file=sys.stderr)
        return 3
    wrong = differences(said, found)
    extra = sorted(set(said.get("latency_ms") or {}) - set(found["latency_ms"]))
    wrong += [f"latency_ms.{group}: in the report, not in the raw files" for group in extra]
    for line in wrong:
        print(line)
    if not wrong:
        print(
            f"all figures agree: {found['totals']['requests']} requests, "
            f"{len(found['scale_events'])} scale events"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
