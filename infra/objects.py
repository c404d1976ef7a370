"""Register Kubernetes objects with Pulumi, one resource each.

Nothing is handed to Pulumi as a bundle: a preview, and whoever checks it, sees every object. The generic
resource class is used with the token that the provider knows, so custom resources and built-in kinds go the
same way, and nothing has to be known about the cluster for a preview.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pulumi

from infra.manifests import Manifest
from infra.target import Target

# Objects that others need before they can exist or start. Within a phase nothing waits for anything.
_PHASES: tuple[frozenset[str], ...] = (
    frozenset({"Namespace", "CustomResourceDefinition", "ClusterRole", "PriorityClass", "StorageClass"}),
    frozenset(
        {
            "ServiceAccount",
            "ConfigMap",
            "Secret",
            "Role",
            "RoleBinding",
            "ClusterRoleBinding",
            "NetworkPolicy",
        }
    ),
    frozenset({"Job"}),
    frozenset({"Deployment", "StatefulSet", "DaemonSet", "APIService"}),
)


class KubernetesObject(pulumi.CustomResource):
    """One object as the cluster's provider keeps it."""

    def __init__(self, manifest: Manifest, opts: pulumi.ResourceOptions) -> None:
        super().__init__(type_token(manifest), object_name(manifest), _without_waiting(manifest), opts)


def _without_waiting(manifest: Manifest) -> Manifest:
    """Tell Pulumi not to wait for a Service's endpoints.

    The workload behind it is waited for by itself; the second wait adds 10 s to every layer.
    """
    if manifest["kind"] != "Service":
        return dict(manifest)
    metadata: dict[str, Any] = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "pulumi.com/skipAwait": "true"}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


def type_token(manifest: Manifest) -> str:
    """Return the type by which the provider knows the object, such as `kubernetes:batch/v1:Job`."""
    version: str = manifest["apiVersion"]
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{manifest['kind']}"


def object_name(manifest: Manifest) -> str:
    """Return a name that is unique in the program: kind, namespace and name."""
    metadata: dict[str, Any] = manifest["metadata"]
    parts = (manifest["kind"], metadata.get("namespace"), metadata["name"])
    return "/".join(str(part) for part in parts if part)


def phase(manifest: Manifest) -> int:
    """Return the place of the object's kind in the order of creation, from 0."""
    for place, kinds in enumerate(_PHASES):
        if manifest["kind"] in kinds:
            return place
    return len(_PHASES)


def register(
    manifests: Sequence[Manifest], options: Callable[[list[pulumi.Resource]], pulumi.ResourceOptions]
) -> list[KubernetesObject]:
    """Register `manifests` so that each waits for those of earlier phases.

    Args:
        manifests: the objects, in any order.
        options: makes the options of one object from the objects of this call that it has to wait for.
    """
    done: list[KubernetesObject] = []
    for place in range(len(_PHASES) + 1):
        before: list[pulumi.Resource] = list(done)
        done += [KubernetesObject(each, options(before)) for each in manifests if phase(each) == place]
    return done


def within(
    parent: pulumi.Resource, target: Target, after: Sequence[pulumi.Resource] = ()
) -> Callable[[list[pulumi.Resource]], pulumi.ResourceOptions]:
    """Return the options maker for objects of the component `parent` that wait for all of `after`."""

    def options(before: list[pulumi.Resource]) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=parent,
            provider=target.provider,
            deleted_with=target.cluster,
            depends_on=[*target.ready, *after, *before],
        )

    return options
