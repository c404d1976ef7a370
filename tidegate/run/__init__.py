"""The Run: one folder in which everything that happened is recorded once, and from which all else is derived.

Writing: `new_run`, then in each process `request_writer`, `metric_writer`, `RunWriter`.
Reading: `RunReader`, and the derived views in `hpa`, `pods`, `load`, `summary`.
"""

from tidegate.run.folder import new_run, save_plan, save_report, save_verdict, write_atomic
from tidegate.run.format import METRIC_SCHEMA, REQUEST_SCHEMA, MetricRow, RequestRow
from tidegate.run.hpa import HpaCondition, HpaPoint, Rescale, hpa_series, peak_desired, rescales
from tidegate.run.jsonl import JsonlWriter, is_torn, read_jsonl
from tidegate.run.load import latency_series, load_series, start_delays, with_latency
from tidegate.run.percentile import nearest_rank
from tidegate.run.pods import PodLife, ReadyPoint, peak_ready, pod_lives, ready_series, ready_steps
from tidegate.run.reader import RunReader
from tidegate.run.records import ClusterRecord, FaultRecord, Level, Note, Phase, RecordType, labels_text
from tidegate.run.segment import SegmentWriter
from tidegate.run.summary import LatencySummary, Totals, latency_summary, totals
from tidegate.run.vertical import Recommendation, recommendations
from tidegate.run.writer import RunWriter, metric_writer, request_writer

__all__ = [
    "METRIC_SCHEMA",
    "REQUEST_SCHEMA",
    "ClusterRecord",
    "FaultRecord",
    "HpaCondition",
    "HpaPoint",
    "JsonlWriter",
    "LatencySummary",
    "Level",
    "MetricRow",
    "Note",
    "Phase",
    "PodLife",
    "ReadyPoint",
    "Recommendation",
    "RecordType",
    "RequestRow",
    "Rescale",
    "RunReader",
    "RunWriter",
    "SegmentWriter",
    "Totals",
    "hpa_series",
    "is_torn",
    "labels_text",
    "latency_series",
    "latency_summary",
    "load_series",
    "metric_writer",
    "nearest_rank",
    "new_run",
    "peak_desired",
    "peak_ready",
    "pod_lives",
    "read_jsonl",
    "ready_series",
    "ready_steps",
    "recommendations",
    "request_writer",
    "rescales",
    "save_plan",
    "save_report",
    "save_verdict",
    "start_delays",
    "totals",
    "with_latency",
    "write_atomic",
]
