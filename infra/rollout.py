"""Pods that follow the content of their images.

Images made on this machine stand in for upstream's under upstream's own tags, so that a changed recipe
changes no manifest: nodes would have the new image, and pods go on with the old one. Pod templates therefore
name what their images hold, and a workload whose image has changed rolls out anew.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi

ANNOTATION = "tidegate/images"
"""On pod templates: twelve hexadecimal digits over the ids of their images."""
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
"""A Job is done once for a change of its own name, and its template cannot be changed."""
Transformation = Callable[[pulumi.ResourceTransformationArgs], "pulumi.ResourceTransformationResult | None"]


def follow(ids: Mapping[str, str]) -> Transformation:
    """Return what puts the annotation on the workloads of a component.

    Args:
        ids: the engine's id of each image by its reference.
    """

    def transform(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        group, _, kind = str(args.type_).rpartition(":")
        if group == "kubernetes:apps/v1" and kind in _WORKLOADS:
            return pulumi.ResourceTransformationResult(stamped(args.props, ids), args.opts)
        if kind == "EnvoyProxy":
            return pulumi.ResourceTransformationResult(stamped_proxy(args.props, ids), args.opts)
        return None

    return transform


def stamped(workload: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a workload whose pod template names what its images hold; unchanged where none is known."""
    made = dict(workload)
    template: dict[str, Any] = made["spec"]["template"]
    containers = [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]
    metadata = _annotated(template.get("metadata") or {}, [each["image"] for each in containers], ids)
    return made | {"spec": made["spec"] | {"template": template | {"metadata": metadata}}}


def stamped_proxy(proxy: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """Return an EnvoyProxy whose controller gives the annotation to the gateway's pods."""
    made = copy.deepcopy(dict(proxy))
    deployment: dict[str, Any] = made["spec"]["provider"]["kubernetes"]["envoyDeployment"]
    deployment["pod"] = _annotated(deployment.get("pod") or {}, [deployment["container"]["image"]], ids)
    return made


def _annotated(metadata: dict[str, Any], images: Sequence[str], ids: Mapping[str, str]) -> dict[str, Any]:
    known = sorted({ids[each] for each in images if each in ids})
    if not known:
        return metadata
    content = hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]
    return metadata | {"annotations": (metadata.get("annotations") or {}) | {ANNOTATION: content}}
