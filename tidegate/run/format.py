"""The files of a run folder and their columns. Version: `tidegate.models.SCHEMA_VERSION`.

All times are unix seconds of the one clock of the machine that recorded.
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

PLAN_FILE = "plan.json"
REQUESTS_DIR = "requests"
METRICS_DIR = "metrics"
CLUSTER_FILE = "cluster.jsonl"
FAULTS_FILE = "faults.jsonl"
NOTES_FILE = "recorder.jsonl"
ORDERS_FILE = "orders.jsonl"
VERDICT_FILE = "verdict.json"
REPORT_FILE = "report.html"

WEB_NAME = "tidegate-web"
"""Name of the web Deployment and of the chart's own HorizontalPodAutoscaler of it."""
WEB_HPA_NAMES = (WEB_NAME, f"{WEB_NAME}-rps")
"""Names of that HorizontalPodAutoscaler, and of KEDA's, which takes its place with the metric rps."""
WEB_COMPONENT, WORKER_COMPONENT = "web", "worker"
"""Values of the pod label `app.kubernetes.io/component`."""

SEGMENT_SUFFIX = ".parquet"
TEMPORARY_SUFFIX = ".tmp"


NOBODY = -1
"""`user` of a request for whose start no user's answer had to be waited: an arrival of an open loop."""


class RequestRow(NamedTuple):
    """One client request."""

    intended_start_s: float
    """When the plan meant it to start; a user without a plan gives `start_s`."""
    start_s: float
    """When its first byte could have left, unix seconds."""
    end_s: float
    """When its last byte was read or it was given up, unix seconds."""
    method: str
    route: str
    """Template with its method, for example `GET /api/v1/products/{id}`."""
    status: int
    """HTTP status; 0 when there was no response."""
    ok: bool
    error: str | None
    pod: str | None
    """Name of the pod that answered (`X-Served-By`)."""
    request_id: str | None
    user: int
    """Number of the simulated user that sent it, one request in flight at a time; `NOBODY` in an open loop
    and when unknown."""
    bytes: int
    """Length of the response body."""


class MetricRow(NamedTuple):
    """One sample of one series."""

    t_s: float
    """The sample's own timestamp, unix seconds."""
    received_s: float
    """When the recorder first saw it, unix seconds."""
    name: str
    labels: str
    """JSON object with sorted keys; see `labels_text`."""
    value: float
    window_s: float | None
    """Seconds the sample is a mean over, where it is one."""


REQUEST_SCHEMA = pl.Schema(
    {
        "intended_start_s": pl.Float64(),
        "start_s": pl.Float64(),
        "end_s": pl.Float64(),
        "method": pl.String(),
        "route": pl.String(),
        "status": pl.Int32(),
        "ok": pl.Boolean(),
        "error": pl.String(),
        "pod": pl.String(),
        "request_id": pl.String(),
        "user": pl.Int32(),
        "bytes": pl.Int64(),
    }
)
METRIC_SCHEMA = pl.Schema(
    {
        "t_s": pl.Float64(),
        "received_s": pl.Float64(),
        "name": pl.String(),
        "labels": pl.String(),
        "value": pl.Float64(),
        "window_s": pl.Float64(),
    }
)
