"""A real Locust that does not get its CPU says so in the Run, and the verdict doubts it."""

from __future__ import annotations

import time
from pathlib import Path

from support.chaos_run import POLICY, SLO
from support.shop import Shop

from bench.mutations.catalogue import MUTATIONS
from bench.mutations.generator import held_back
from tidegate.load.drive import run_load
from tidegate.models import ClusterConfig, Plan
from tidegate.models.trial import Finding
from tidegate.run import RunReader, new_run
from tidegate.run.folder import save_plan
from tidegate.verdict.soundness import Doubt, doubts


def test_a_generator_that_is_held_back_is_doubted(shop: Shop, tmp_path: Path) -> None:
    plan = Plan(
        run_id="run",
        created_s=time.time(),
        scenario="steady",
        policy=POLICY,
        slo=SLO,
        cluster=ClusterConfig(),
    )
    folder = new_run(tmp_path, plan)
    with held_back(folder):
        result = run_load(
            "steady",
            run_dir=folder,
            host=shop.url,
            parameters={"steady_users": "4", "steady_s": "20"},
            progress=None,
        )
    assert result.exit_status == 0
    assert result.window_s is not None
    save_plan(folder, plan.with_load_window(*result.window_s))
    said = [sentence for about, sentence in doubts(RunReader(folder)) if about is Doubt.GENERATOR]
    (mutation,) = [each for each in MUTATIONS if each.name == "generator-saturated"]
    assert mutation.fits(Finding.INCONCLUSIVE, said), said
