"""The images that the layers run, by the names they have in the catalogue."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields

from tidegate.errors import TidegateError
from tidegate.images.engine import Docker
from tidegate.images.injectors import injectors
from tidegate.images.workshop import Workshop
from tidegate.models.faults import FaultsConfig

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
    chaos_controller_manager: Image | None = None
    chaos_daemon: Image | None = None
    """Only where the stack asks for faults."""

    def node_agents(self) -> dict[str, str]:
        """Return reference to id of the images that every node runs."""
        return {image.reference: image.id for image in (self.flannel, self.kube_router)}

    def on_workers(self) -> dict[str, str]:
        """Return reference to id of all other images that pods run."""
        elsewhere = {"node", "flannel", "kube_router"}
        names = [field.name for field in fields(self) if field.name not in elsewhere]
        images: list[Image | None] = [getattr(self, name) for name in names]
        return {image.reference: image.id for image in images if image is not None}


def from_catalogue(faults: FaultsConfig, *, preview: bool) -> Images:
    """Return the images as the catalogue names them and the container engine has them. Nothing is made.

    Args:
        faults: what the stack has on board to break itself with.
        preview: whether an image that is missing, or an engine, is no error: nothing will be run.

    Raises:
        TidegateError: the catalogue is wrong, or an image is not in the engine.
    """
    planner = Workshop().planner()
    chosen = injectors(faults)
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
            f"{missing[0]}{more}: not in the container engine", cure="run `tidegate images build`"
        )
    return Images(**{name: Image(each, ids.get(each, NOT_YET)) for name, each in references.items()})
