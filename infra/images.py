"""The images that the layers run, by the names they have in the catalogue."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

from tidegate.errors import TidegateError
from tidegate.images.controllers import controllers
from tidegate.images.engine import Docker
from tidegate.images.generators import generators
from tidegate.images.injectors import injectors
from tidegate.images.workshop import Workshop
from tidegate.models.faults import FaultsConfig
from tidegate.models.load import LoadConfig
from tidegate.models.policy import Policy

NOT_YET = "not made yet"
"""Stands for the id of an image that a preview finds missing."""


@dataclass(frozen=True)
class Image:
    """An image in the container engine.

    Args:
        reference: what manifests call it, with a tag.
        id: the engine's id of it, `sha256:...`; changes with the content when the tag does not.
    """

    reference: str
    id: str


@dataclass(frozen=True)
class Images:
    """One image for every place in the program; a field is named as in the catalogue, with `_` for `-`."""

    node: Image
    flannel: Image
    kube_router: Image
    envoy_gateway: Image
    envoy: Image
    metrics_server: Image
    kube_state_metrics: Image
    prometheus: Image
    postgres: Image
    redis: Image
    service: Image
    nginx: Image | None = None
    cluster_autoscaler: Image | None = None
    keda: Image | None = None
    keda_metrics_apiserver: Image | None = None
    vpa_recommender: Image | None = None
    vpa_updater: Image | None = None
    vpa_admission_controller: Image | None = None
    chaos_controller_manager: Image | None = None
    chaos_daemon: Image | None = None
    chaos_coredns: Image | None = None
    load: Image | None = None
    """These only where the policy asks for what they do, or the stack for faults or load in the cluster."""

    def node_agents(self) -> dict[str, str]:
        """Return reference to id of the images that every node runs."""
        return {image.reference: image.id for image in (self.flannel, self.kube_router)}

    def on_workers(self) -> dict[str, str]:
        """Return reference to id of all other images that pods run."""
        elsewhere = {"node", "flannel", "kube_router"}
        names = [field.name for field in fields(self) if field.name not in elsewhere]
        images: list[Image | None] = [getattr(self, name) for name in names]
        return {image.reference: image.id for image in images if image is not None}


def from_catalogue(
    policy: Policy, faults: FaultsConfig, *, preview: bool, load: LoadConfig | None = None
) -> Images:
    """Return the images as the catalogue names them and the container engine has them. Nothing is made.

    Args:
        policy: decides which of the optional images are wanted; see `controllers`.
        faults: what the stack has on board to break itself with; see `injectors`.
        preview: whether an image that is missing, or an engine, is no error: nothing will be run.
        load: what room the stack has for load generators, none by default; see `generators`.

    Raises:
        TidegateError: the catalogue is wrong, or an image is not in the engine.
    """
    planner = Workshop().planner()
    chosen = controllers(policy) + injectors(faults) + generators(load or LoadConfig())
    names = {
        field.name: field.name.replace("_", "-")
        for field in fields(Images)
        if field.default is MISSING or field.name.replace("_", "-") in chosen
    }
    references = {name: planner.reference(entry) for name, entry in names.items()}
    try:
        ids = Docker({}).ids(list(references.values()))
    except TidegateError:
        if not preview:
            raise
        ids = {}
    missing = [reference for reference in references.values() if reference not in ids]
    if missing and not preview:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise TidegateError(
            f"{missing[0]}{more}: not in the container engine",
            cure="run `tidegate images build`"
            + (f" and `tidegate images build {' '.join(chosen)}`" if chosen else ""),
        )
    return Images(**{name: Image(each, ids.get(each, NOT_YET)) for name, each in references.items()})
