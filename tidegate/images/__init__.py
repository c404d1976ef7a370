"""The catalogue of images and tools: each is pulled where a registry answers, or built from packages."""

from tidegate.images.ensure import ensure, ensure_files, ensure_images, ensure_tools, image_ids

__all__ = ["ensure", "ensure_files", "ensure_images", "ensure_tools", "image_ids"]
