"""The measurements one process publishes, in a registry of its own.

A registry per application object, not the library's global one, lets two applications live in one process.
"""

from __future__ import annotations

import os

from prometheus_client.metrics import Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import CollectorRegistry

# 5 ms to 10 s, with a bound at every objective: alerts count what is above the bound at or below theirs.
_HTTP_BUCKETS_S = (
    *(0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.6),
    *(1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0),
)
_WAIT_BUCKETS_S = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0)
_FRAUD_BUCKETS_S = (0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)

_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

MULTIPROCESS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which processes share measurements. The library looks when it is imported."""


class Metrics:
    """All instruments of a process. Labels come from small fixed sets only."""

    def __init__(self) -> None:
        # A second series beside each counter, telling when it began, doubles what a scrape costs.
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self.multiprocess = MULTIPROCESS_VARIABLE in os.environ
        """Whether several processes answer for one another at the scrape (Gunicorn's workers)."""
        if self.multiprocess:
            self.cpu_s = Counter(
                "process_cpu_seconds_total", "Processor time of all processes", registry=self.registry
            )
            self.memory_bytes = Gauge(
                "process_resident_memory_bytes",
                "Peak memory of the processes that live",
                multiprocess_mode="livesum",
                registry=self.registry,
            )
        else:
            ProcessCollector(registry=self.registry)
        self.http_requests = Counter(
            "http_requests_total",
            "Requests answered, by route template",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.http_duration_s = Histogram(
            "http_request_duration_seconds",
            "Time from the request's first byte in the application to its last byte out",
            ("method", "route"),
            buckets=_HTTP_BUCKETS_S,
            registry=self.registry,
        )
        self.http_in_progress = Gauge(
            "http_requests_in_progress",
            "Requests being answered now",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.loop_lag_s = Histogram(
            "tidegate_event_loop_lag_seconds",
            "How late the event loop wakes a sleeper",
            buckets=_LAG_BUCKETS_S,
            registry=self.registry,
        )
        self.gc_pause_s = Counter(
            "tidegate_gc_pause_seconds_total",
            "Time in the garbage collector, by generation",
            ("generation",),
            registry=self.registry,
        )
        self.db_connections = Gauge(
            "tidegate_db_connections_in_use",
            "Database connections that requests hold",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.db_pool_size = Gauge(
            "tidegate_db_pool_size",
            "Database connections that requests may hold",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.db_wait_s = Histogram(
            "tidegate_db_connection_wait_seconds",
            "Wait for a database connection: a free one, a new one, or proof that an old one lives",
            buckets=_WAIT_BUCKETS_S,
            registry=self.registry,
        )
        self.streams = Gauge(
            "tidegate_streams_open",
            "Streams of order updates being held",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.orders = Counter(
            "tidegate_orders_total",
            "Orders that reached a status (v2: pending when taken, then accepted or rejected)",
            ("version", "status"),
            registry=self.registry,
        )
        self.fraud_cpu_s = Histogram(
            "tidegate_fraud_check_cpu_seconds",
            "Processor time of one fraud check",
            buckets=_FRAUD_BUCKETS_S,
            registry=self.registry,
        )

        self.cache = Counter(
            "tidegate_cache_lookups_total",
            "Lookups by layer (client, response, memory, redis, query) and what came of them",
            ("layer", "result"),
            registry=self.registry,
        )

        self.limits = Counter(
            "tidegate_rate_limit_total",
            "Requests for budget by use and what came of them (local, open, closed: without Redis)",
            ("use", "result"),
            registry=self.registry,
        )

    def cached(self, layer: str, result: str) -> None:
        """Count one lookup in a layer of the cache."""
        self.cache.labels(layer, result).inc()

    @property
    def content_type(self) -> str:
        """What `render` gives."""
        from prometheus_client.exposition import CONTENT_TYPE_LATEST

        return CONTENT_TYPE_LATEST

    def render(self) -> bytes:
        """The exposition text Prometheus scrapes: this process's, or that of all workers together."""
        # Brings HTTP servers and clients, which no start needs.
        from prometheus_client.exposition import generate_latest

        if not self.multiprocess:
            return generate_latest(self.registry)
        from prometheus_client.multiprocess import MultiProcessCollector

        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)
        return generate_latest(everyone)
