"""Load from inside a deployed stack's cluster."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tidegate.errors import TidegateError
from tidegate.host.paths import kubeconfig_path
from tidegate.images.generators import GENERATOR
from tidegate.images.workshop import Workshop
from tidegate.load.pods.api import LoadApi
from tidegate.load.pods.conduct import Place, remove_all
from tidegate.observe.kubeconfig import load_kubeconfig
from tidegate.prepare import Site


@contextmanager
def inside(site: Site, workers: int) -> Generator[Place]:
    """Enter the cluster of `site` as a place that generates load from `workers` pods.

    Raises:
        TidegateError: the stack does not ask for load in the cluster.
    """
    if not site.config.load.in_cluster:
        raise TidegateError(
            f"stack {site.name} has no room for load generators",
            where=f"Pulumi.{site.name}.yaml",
            cure="set `tidegate:load: {in_cluster: true}` there and run `tidegate up`",
        )
    image = Workshop().planner().reference(GENERATOR)
    api = LoadApi(load_kubeconfig(kubeconfig_path(site.config.cluster.name)))
    try:
        yield Place(api, site.config.load, image, workers)
    finally:
        api.close()


def clean(site: Site) -> list[str]:
    """Remove what loads in the cluster of `site` left, and return what that was."""
    api = LoadApi(load_kubeconfig(kubeconfig_path(site.config.cluster.name)))
    found: list[str] = []
    try:
        remove_all(api, say=found.append)
    finally:
        api.close()
    return found
