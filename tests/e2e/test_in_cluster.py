"""Load from pods of the live cluster: one record, and nothing that stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.console import Console

from tidegate.load.pods.names import NAMESPACE
from tidegate.load.shares import USERS_A_PROCESS
from tidegate.prepare import Site
from tidegate.proc import run
from tidegate.prove.job import measure
from tidegate.run.reader import RunReader

WORKERS = 2


@pytest.fixture(scope="module")
def steady(site: Site, tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    """A recorded load from two pods."""
    runs = Path(os.environ.get("TIDEGATE_E2E_RUNS") or tmp_path_factory.mktemp("runs"))
    given = {"steady_users": "6", "steady_s": "40"}
    folder, _ = measure(
        site,
        "steady",
        given,
        runs=runs,
        min_peak=None,
        tail_s=0,
        console=Console(stderr=True),
        in_cluster=WORKERS,
    )
    return RunReader(folder)


def test_every_worker_served_its_share_and_no_part_is_missing(steady: RunReader) -> None:
    requests = steady.requests()
    assert {number // USERS_A_PROCESS for number in requests["user"]} == set(range(WORKERS))
    assert [note.what for note in steady.notes() if note.level == "error"] == []
    for name in ("generator_lag_s", "generator_cpu_share"):
        assert steady.metrics(name)["labels"].n_unique() == WORKERS, name
    said = [note.what for note in steady.notes() if note.what.endswith("requests recorded")]
    assert sum(int(what.split(": ")[1].split()[0]) for what in said) == requests.height


def test_clocks_of_one_machine_agree(steady: RunReader) -> None:
    offsets, within = (
        steady.metrics(name)["value"] for name in ("generator_clock_s", "generator_clock_within_s")
    )
    assert offsets.len() > WORKERS
    assert all(abs(offset) <= bound + 0.01 for offset, bound in zip(offsets, within, strict=True))


def test_nothing_of_it_stays(site: Site, steady: RunReader) -> None:
    env = {**os.environ, **site.environment}
    words = ["kubectl", "get", "jobs,secrets", "-n", NAMESPACE, "-o", "name"]
    assert run(words, env=env, timeout_s=60).stdout.split() == []
