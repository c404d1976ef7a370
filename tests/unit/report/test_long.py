"""A long run stays a page that a browser opens at once, and no peak is lost in it."""

from __future__ import annotations

import math
from pathlib import Path

import polars as pl
import pytest
from support.synthetic_run import SLO, T0, Pod, build_run

from tidegate.models import ClusterConfig, Plan, Policy
from tidegate.report import collect, write_report
from tidegate.run import METRIC_SCHEMA, REQUEST_SCHEMA, RunReader, RunWriter, labels_text, new_run

HOURS = 10
END_S = HOURS * 3600.0
PODS = 80
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    plan = Plan(
        run_id="long",
        created_s=T0,
        scenario="soak",
        load_window_s=(T0, T0 + END_S),
        policy=Policy(),
        slo=SLO,
        cluster=ClusterConfig(),
    )
    run = new_run(folder, plan)
    each = pl.DataFrame({"at": [number * 0.5 for number in range(int(END_S * 2))]})
    took = pl.when(pl.col("at").is_between(20_000, 20_003)).then(25.0).otherwise(0.05)
    each.select(
        intended_start_s=T0 + pl.col("at"),
        start_s=T0 + pl.col("at"),
        end_s=T0 + pl.col("at") + took,
        method=pl.lit("GET"),
        route=pl.lit("GET /api/v1/products"),
        status=pl.when(pl.col("at") == 30_000.0).then(503).otherwise(200).cast(pl.Int32),
        ok=pl.col("at") != 30_000.0,
        error=pl.lit(None, pl.String),
        pod=pl.lit("tidegate-web-0"),
        request_id=pl.lit(None, pl.String),
        user=pl.int_range(pl.len(), dtype=pl.Int32),
        bytes=pl.lit(1, pl.Int64),
    ).select(REQUEST_SCHEMA.names()).write_parquet(run / "requests" / "load-0.parquet")
    times = [T0 + 15.0 * number for number in range(int(END_S / 15))]
    for number in range(PODS):
        labels = labels_text({"pod": f"tidegate-web-{number}", "container": "web", "node": "n"})
        use = [0.05 + 0.02 * math.sin(t + number) for t in times]
        use[1234] = 0.4321
        pl.DataFrame(
            {"t_s": times, "received_s": times, "name": "pod_cpu_cores", "labels": labels, "value": use},
        ).with_columns(window_s=pl.lit(15.0)).select(METRIC_SCHEMA.names()).write_parquet(
            run / "metrics" / f"observer-{number}.parquet"
        )
    with RunWriter(run) as writer:
        desired = 2
        for number in range(int(END_S / 60)):
            desired = 12 - desired
            status = {"desiredReplicas": desired, "currentReplicas": desired}
            obj = {"metadata": {"name": "tidegate-web"}, "spec": {}, "status": status}
            writer.cluster("MODIFIED", "HorizontalPodAutoscaler", obj, received_s=T0 + 60.0 * number)
            for pod in range(10 if desired > 2 else 0):
                metadata = {
                    "name": f"pod-{number}-{pod}",
                    "uid": f"{number}-{pod}",
                    "labels": {"app.kubernetes.io/component": "web"},
                }
                writer.cluster("ADDED", "Pod", {"metadata": metadata}, received_s=T0 + 60.0 * number + 0.1)
                writer.cluster("DELETED", "Pod", {"metadata": metadata}, received_s=T0 + 60.0 * number + 60)
    return run


def test_the_page_stays_small(long_run: Path) -> None:
    assert write_report(long_run).stat().st_size < MOST_BYTES


def test_peaks_are_kept(long_run: Path) -> None:
    data = collect(RunReader(long_run))
    assert data.series.latency is not None
    assert max(data.series.latency.groups["reads"].p99) == pytest.approx(25_000)
    assert data.series.load is not None
    assert sum(data.series.load.failed_count) == 1
    assert len(data.series.load.x) <= 900
    cpu = data.series.cpu
    assert cpu is not None
    assert cpu.pods_not_shown == PODS - len(cpu.pods) > 0
    for pod in cpu.pods:
        assert max(y for y in pod.y if y is not None) == pytest.approx(432.1)


def test_every_scale_event_is_in_the_figures(long_run: Path) -> None:
    data = collect(RunReader(long_run))
    assert len(data.scale_events) == HOURS * 60 - 1
    assert data.pods_not_shown > 0


def test_a_short_run_is_not_thinned(tmp_path: Path) -> None:
    pods = (Pod("tidegate-web-a", "web", "n", -50.0, -49.9, -48.0, -46.0),)
    data = collect(RunReader(build_run(tmp_path, pods=pods, stride=10)))
    assert data.series.load is not None
    assert data.series.load.bucket_s == 1
    assert data.series.latency is not None
    assert data.series.latency.bucket_s == 5
