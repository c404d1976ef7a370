"""The images that the layers run, by the names they have in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
    """One image for every place in the program. A field's name is the image's name in the catalogue."""

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

    def on_nodes(self) -> dict[str, str]:
        """Return reference to id of all images that pods run; the node image itself is not one of them."""
        images: list[Image] = [getattr(self, field.name) for field in fields(self) if field.name != "node"]
        return {image.reference: image.id for image in images}
