"""`tidegate nodes serve | list`."""

from __future__ import annotations

import functools
import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tidegate.errors import TidegateError

app = typer.Typer(
    name="nodes", help="Nodes that the cluster-autoscaler adds and removes.", no_args_is_help=True
)

log = logging.getLogger(__name__)

_AT_A_TIME = 2
"""Nodes made or removed at a time: unpacking images is bound by the disk, starting by the cores."""

_LAST_CALLS_S = 5.0

Cluster = Annotated[str, typer.Argument(help="Name of the kind cluster.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def serve(cluster: Cluster) -> None:
    """Answer the cluster-autoscaler until told to end. `tidegate up` starts this; see docs/nodes.md."""
    from tidegate.nodes.certificates import Pair
    from tidegate.nodes.fleet import Fleet
    from tidegate.nodes.kind import KindHost
    from tidegate.nodes.server import serve as start
    from tidegate.nodes.service import CloudProvider
    from tidegate.nodes.settings import load_settings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = load_settings(cluster)
    host = KindHost(cluster)
    workers = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="node")
    spare = ThreadPoolExecutor(1, thread_name_prefix="stock")
    fleet = Fleet(cluster, settings.groups, host, workers, spare)
    pair = Pair(settings.certificate, settings.key)
    server, port = start(CloudProvider(fleet, host), settings.address, settings.authority, pair)
    log.info("listening at %s, port %d", settings.address, port)
    try:
        try:
            fleet.reconcile()
        except (
            TidegateError
        ) as error:  # an engine that is not up yet; every round of the autoscaler repeats it
            log.warning("%s", error)
        server.wait_for_termination()
    except KeyboardInterrupt:
        log.info("ending: what was begun is finished, what was not is left to the next server")
    finally:
        server.stop(_LAST_CALLS_S).wait()
        fleet.end()
        for pool in (workers, spare):
            pool.shutdown(wait=True, cancel_futures=True)


@app.command("list")
def list_(cluster: Cluster, as_json: AsJson = False) -> None:
    """Print the nodes that were added to a cluster, with their group and how far they are."""
    from tidegate.host.engine import find_engine
    from tidegate.nodes.kind import KindHost
    from tidegate.nodes.marks import machines
    from tidegate.proc import run

    engine = find_engine()
    if engine is None:
        raise TidegateError("no container engine answers", cure="run `tidegate doctor`")
    host = KindHost(cluster, runner=functools.partial(run, env={**os.environ, **engine.env()}))
    found = machines(host.marks(), host.containers())
    if as_json:
        rows = [{"node": m.node, "group": m.group, "stage": m.stage, "note": m.note} for m in found]
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("node", "group", "stage", "reason"):
        table.add_column(heading, overflow="fold")
    for each in found:
        table.add_row(each.node, each.group, each.stage, each.note)
    Console().print(table if found else "none")
