"""Remove what is no longer used: cache entries, what interrupted builds left, superseded images."""

from __future__ import annotations

import time

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.engine import Docker
from tidegate.images.gotool import drop_work
from tidegate.images.store import entries, remove
from tidegate.images.workshop import Workshop

_AREAS = ("bin", "modules", "wheels")
_STALE_S = 3600.0
"""An unfinished entry untouched for this long belongs to no running command."""


def clean_cache(workshop: Workshop, *, everything: bool = False) -> int:
    """Remove cache entries that the catalogue no longer uses, and scratch folders nobody works in.

    Args:
        workshop: the catalogue at work.
        everything: also remove what it uses; only time is lost.

    Returns:
        bytes of the entries removed.
    """
    planner = workshop.planner()
    current = {planner.entry(name).path for name in workshop.keys.makers}
    current |= {planner.wheelhouse(pip).path for pip in planner.wheel_groups()}
    freed = 0
    for area in _AREAS:
        for path, manifest in entries(area):
            if everything or path not in current:
                freed += sum(record.size for record in manifest.files.values()) if manifest else 0
                remove(path)
    for path in (cache_dir() / "making").glob("*"):
        if time.time() - path.stat().st_mtime > _STALE_S:
            remove(path)
    drop_work()
    return freed


def clean_images(workshop: Workshop, docker: Docker) -> list[str]:
    """Remove images of our own names that a newer recipe has superseded; those in use stay.

    Upstream's names are never touched: what bears one now is what the catalogue wants, or not ours.

    Returns:
        the references removed.
    """
    planner = workshop.planner()
    names = [*workshop.catalogue.images, *workshop.catalogue.bases]
    current = {planner.reference(name) for name in names}
    current |= {planner.empty_reference(name) for name in workshop.catalogue.images}
    removed: list[str] = []
    for reference in docker.built():
        if not reference.startswith("tidegate/") or reference in current:
            continue
        try:
            docker.call("rmi", reference)
        except TidegateError:
            continue  # a container runs on it
        removed.append(reference)
    return removed
