from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from app.core.metrics import Metrics


def test_two_applications_can_live_in_one_process() -> None:
    one, other = Metrics(), Metrics()
    one.orders.labels("v1", "accepted").inc()
    assert b'status="accepted"' in one.render()
    assert b'status="accepted"' not in other.render()


def test_the_exposition_can_be_read_and_has_the_promised_names() -> None:
    metrics = Metrics()
    metrics.http_requests.labels("GET", "/x", "200").inc()
    metrics.http_duration_s.labels("GET", "/x").observe(0.004)
    families = {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}
    assert {
        "http_requests",
        "http_request_duration_seconds",
        "http_requests_in_progress",
        "tidegate_orders",
        "process_cpu_seconds",
        "process_resident_memory_bytes",
    } <= families.keys()
    bounds = [
        float(sample.labels["le"])
        for sample in families["http_request_duration_seconds"].samples
        if sample.name.endswith("_bucket")
    ]
    assert (bounds[0], bounds[-2], bounds[-1]) == (0.005, 10.0, float("inf"))
    assert not any(name.endswith("_created") for name in families)
