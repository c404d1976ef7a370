"""One policy against one load, from the first pod to the last sum."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.models import Policy
from tidegate.simulate.world.arrivals import arrivals
from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.engine import Engine
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.totals import TAIL_S, Totals
from tidegate.simulate.world.traces import Bin


def simulate(
    policy: Policy,
    world: World,
    bins: Iterable[Bin],
    recorder: Recorder,
    *,
    seed: int = 1,
    scale: float = 1.0,
    epoch_s: float = 0.0,
) -> Totals:
    """Run `policy` in `world` against the arrivals in `bins` and tell `recorder` what happens.

    Args:
        policy: what scales the web pods.
        world: what is assumed about everything else.
        bins: the arrivals; time 0 is the beginning of the load.
        recorder: is told.
        seed: of every chance; the same seed gives the same run.
        scale: multiplies the arrivals.
        epoch_s: unix seconds of time 0.

    Returns:
        Sums over the time of the load.

    Raises:
        TidegateError: the controller's version is not known.
    """
    bins = list(bins)
    run = Engine(policy, world, seed, recorder, epoch_s)
    run.totals.length_s = max(one.start_s + one.width_s for one in bins)
    for number in run.cluster.pods_on:
        recorder.node(run.now_s, "ADDED", number)
    for _ in range(run.replicas):
        run.create(settled=True)
    controller = world.controller
    first_s = 0.0 if run.controller.release.first_sync_at_once else controller.sync_s
    run.at(run.now_s + first_s + run.jitter.uniform(0.0, controller.sync_s), run.sync)
    run.at(run.now_s + run.jitter.uniform(0.0, world.pipeline.resolution_s), run.scrape)
    if world.requests_metric is not None:
        run.at(run.now_s + run.jitter.uniform(0.0, world.requests_metric.scrape_s), run.scrape_requests)
    if world.keda is not None:
        run.at(run.now_s + run.jitter.uniform(0.0, world.keda.polling_s), run.poll)
    for rollout in world.rollouts:
        run.at(rollout.at_s, lambda rollout=rollout: run.rollout(rollout))
    if run.cluster.scales:
        run.at(run.now_s + world.nodes.scan_s, run.scan)
    for arrived_s in arrivals(bins, chance(seed, "arrivals"), scale=scale):
        run.until(arrived_s)
        run.serving.request(arrived_s)
    run.until(run.totals.length_s + TAIL_S)
    run.until(max((run.now_s, *run.serving.unanswered())))
    run.serving.give_up()
    for pod in run.pods.values():
        run.totals.replica_s += max(0.0, run.totals.length_s - max(pod.created_s, 0.0))
    run.count_nodes()
    return run.totals
