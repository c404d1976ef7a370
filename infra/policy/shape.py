"""Read manifests: which pods they make, and what belongs to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from infra.manifests import Manifest

Section = dict[str, Any]

LONG_RUNNING = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})
WORKLOADS = LONG_RUNNING | {"Job", "CronJob", "Pod"}


def subject(manifest: Manifest) -> str:
    """Return kind, namespace and name of an object, for a message."""
    metadata = section(manifest, "metadata")
    place = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{manifest['kind']} {place}{metadata['name']}"


def section(parent: Section, *path: str) -> Section:
    """Return the mapping at `path`, empty where any part of the way is absent."""
    for key in path:
        parent = cast("Section", parent.get(key) or {})
    return parent


def items(parent: Section, key: str) -> list[Section]:
    """Return the list of mappings under `key`, empty where it is absent."""
    return cast("list[Section]", parent.get(key) or [])


def of_kind(manifests: Sequence[Manifest], *kinds: str) -> Iterator[Manifest]:
    """Return the objects of these kinds."""
    return (each for each in manifests if each["kind"] in kinds)


def workloads(manifests: Sequence[Manifest]) -> Iterator[tuple[Manifest, Section]]:
    """Return every object that makes pods, with its pod specification."""
    for each in of_kind(manifests, *WORKLOADS):
        yield each, pod_spec(each)


def pod_spec(manifest: Manifest) -> Section:
    """Return the pod specification inside a workload."""
    spec = section(manifest, "spec")
    if manifest["kind"] == "Pod":
        return spec
    if manifest["kind"] == "CronJob":
        spec = section(spec, "jobTemplate", "spec")
    return section(spec, "template", "spec")


def containers(pod: Section) -> list[Section]:
    """Return all containers of a pod, those of its start included."""
    return items(pod, "initContainers") + items(pod, "containers")


def same_place(manifest: Manifest, other: Manifest) -> bool:
    """Whether both objects are in one namespace."""
    return section(manifest, "metadata").get("namespace") == section(other, "metadata").get("namespace")
