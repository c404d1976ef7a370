"""One experiment from the first look to the verdict."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.chaos.blast import Radius, radius
from tidegate.chaos.cluster import CORDONED, Cluster
from tidegate.chaos.engine import INJECT_S, Engine, Setting
from tidegate.chaos.experiment import Experiment
from tidegate.chaos.sampler import Sampler, kubectl_exec
from tidegate.chaos.ways import doing, node_for
from tidegate.chaos.where import Where
from tidegate.errors import TidegateError
from tidegate.host.progress import step
from tidegate.load.drive import run_load
from tidegate.models import Plan, run_name
from tidegate.models.trial import Trial
from tidegate.observe.drive import Observer
from tidegate.prepare import Site
from tidegate.prove.audit import keep_ledger
from tidegate.prove.credentials import demo_password
from tidegate.prove.facts import machine, versions
from tidegate.prove.settle import wait_until_calm
from tidegate.report import write_report
from tidegate.run import RunReader
from tidegate.run.folder import new_run, save_plan
from tidegate.run.objects import dig, text
from tidegate.verdict import judge
from tidegate.verdict.experiments import experiments
from tidegate.verdict.results import save_results

SCENARIO = "steady"
_START_S = 20.0
"""Seconds of load before the first request counts, and after the last: Locust's own start and end."""


@dataclass(frozen=True)
class Trying:
    """What is the same for every experiment of one call.

    Args:
        site: the deployed stack.
        place: the cluster that is broken.
        gateway: the service's address there.
        runs: folder of the Runs.
        users: simulated users.
        console: where progress goes.
        observer: makes the observer of a Run from the kubeconfig and the Run's folder.
        beside: what goes on beside the load, given the Run's folder; nothing as a rule.
    """

    site: Site
    place: Where
    gateway: str
    runs: Path
    users: int
    console: Console
    observer: Callable[[Path, Path], Observer] = Observer
    beside: Callable[[Path], AbstractContextManager[object]] = nullcontext


def reach_of(cluster: Cluster, experiment: Experiment) -> tuple[Radius, str]:
    """Return the blast radius on the cluster as it is, and the node that it is about, if any."""
    node = node_for(cluster, experiment)
    return radius(experiment, cluster.pods(), node), node


def conduct(trying: Trying, experiment: Experiment) -> tuple[Path, Trial]:
    """Load the service, break it, record everything, judge it, write the report.

    Returns:
        The Run's folder and what the experiment came to.

    Raises:
        TidegateError: the service never came to rest, or load, fault or lifting failed.
        KeyboardInterrupt: broken off; the fault was lifted, and what was recorded stays readable.
    """
    site, console, claim = trying.site, trying.console, experiment.hypothesis
    if experiment.from_host and not trying.place.own:
        raise TidegateError(f"{experiment.name} is done from outside, and that cluster is not this machine's")
    with step(f"{experiment.name}: waiting for the service to rest", console=console) as say:
        wait_until_calm(trying.gateway, site.environment, say=say)
    cluster = trying.place.open()
    try:
        reach, node = reach_of(cluster, experiment)
        for line in reach.lines():
            console.print(f"  {line}", highlight=False, soft_wrap=True)
        lasts_s = claim.before_s + INJECT_S + reach.expires_s + claim.after_s + 2 * _START_S
        if experiment.at_once:
            lasts_s += claim.judged_s
        folder = _new_run(trying, experiment)
        environment = {**os.environ, **site.environment}
        how = doing(experiment, cluster, node, environment, trying.place.kubectl())
        sampler = Sampler(cluster, folder, kubectl_exec(environment, trying.place.kubectl()))
        engine = Engine(
            Setting(folder, trying.gateway, environment),
            experiment,
            reach,
            how,
            sampler,
            lambda said: console.print(f"  {experiment.name}: {said}", highlight=False, soft_wrap=True),
        )
        _load(trying, engine, folder, lasts_s)
    finally:
        cluster.close()
    return folder, finish(folder)


def finish(folder: Path) -> Trial:
    """Judge the Run, write all results into its folder, and return what its experiment came to."""
    run = RunReader(folder)
    judge(run)
    found = experiments(run)
    if not found:
        raise TidegateError("the load ended before the fault was asked for", where=str(folder))
    save_results(folder, found)
    write_report(folder)
    return found[-1]


def _new_run(trying: Trying, experiment: Experiment) -> Path:
    site, created_s = trying.site, time.time()
    plan = Plan(
        run_id=run_name(created_s, experiment.name),
        created_s=created_s,
        scenario=experiment.name,
        scenario_parameters={"load": SCENARIO, "steady_users": trying.users},
        policy=site.config.policy,
        slo=site.config.slo,
        cluster=site.config.cluster,
        versions=versions(site),
        host=machine(),
    )
    folder = new_run(trying.runs, plan)
    trying.console.print(f"Recording into {folder}", highlight=False, soft_wrap=True)
    return folder


def _load(trying: Trying, engine: Engine, folder: Path, lasts_s: float) -> None:
    site = trying.site
    password = demo_password(site.environment)
    with trying.observer(trying.place.kubeconfig, folder), trying.beside(folder):
        engine.start()
        try:
            result = run_load(
                SCENARIO,
                run_dir=folder,
                host=trying.gateway,
                parameters={"steady_users": str(trying.users), "steady_s": f"{lasts_s:g}"},
                progress=trying.console,
                password=password,
            )
        finally:
            # Whatever ended the load, Ctrl-C too: nothing goes on before the fault is lifted.
            engine.stop()
        if result.interrupted:
            raise KeyboardInterrupt
        engine.join()
        if result.window_s is None:
            raise TidegateError("no request was recorded", where=str(folder / "locust.log"))
        plan = RunReader(folder).plan
        save_plan(folder, plan.with_load_window(*result.window_s))
        with step("Asking for every order that was acknowledged", console=trying.console) as say:
            keep_ledger(folder, trying.gateway, password, say=say)


def clean(cluster: Cluster, node_names: list[str], environment: dict[str, str]) -> list[str]:
    """Lift every fault there is, whoever made it, and return what was done.

    Args:
        cluster: the API.
        node_names: nodes that a fault may have stopped, as their containers are called.
        environment: in which docker finds its engine.
    """
    from tidegate.proc import run

    done: list[str] = []
    environment = {**os.environ, **environment}
    for name in node_names:
        words = ["docker", "inspect", "-f", "{{.State.Running}}", name]
        if run(words, env=environment, timeout_s=30, check=False).stdout.strip() == "false":
            run(["docker", "start", name], env=environment, timeout_s=120)
            done.append(f"started node {name}")
    for node in cluster.nodes():
        if dig(node, "metadata", "annotations", CORDONED):
            name = text(node, "metadata", "name")
            cluster.cordon(name, on=False)
            done.append(f"uncordoned node {name}")
    for kind, name in cluster.left():
        cluster.lift(kind, name)
        done.append(f"lifted {kind} {name}")
    return done
