"""The catalogue of images and tools: each is pulled where a registry answers, or built from packages."""

from tidegate.images.catalogue import load_catalogue
from tidegate.images.ensure import (
    GATEWAY_CHARTS,
    ensure,
    ensure_files,
    ensure_images,
    ensure_programs,
    ensure_tools,
    image_ids,
    module_files,
    plan,
)

__all__ = [
    "GATEWAY_CHARTS",
    "ensure",
    "ensure_files",
    "ensure_images",
    "ensure_programs",
    "ensure_tools",
    "image_ids",
    "load_catalogue",
    "module_files",
    "plan",
]
