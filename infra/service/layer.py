"""The service's chart as Pulumi resources, with its namespace and the addresses of its databases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra import helm, policy
from infra.manifests import SERVICE_NAMESPACE, Manifest, meta, namespace
from infra.network.edge import ROUTES_LABEL
from infra.objects import KubernetesObject, register, within
from infra.scraping import scrape_rights
from infra.service.values import DATABASE_SECRET, REDIS_SECRET, URL_KEY, chart_values
from infra.target import Target
from tidegate.models.policy import Policy

RELEASE = "tidegate"


@dataclass(frozen=True)
class ServiceArgs:
    """What the service layer needs to know.

    Args:
        target: the cluster, with gateway and databases ready.
        chart: folder of the chart `tidegate-service`.
        image: reference of the service's image.
        policy: what decides scaling.
        database_url: secret; how the service reaches PostgreSQL.
        redis_url: secret; how it reaches Redis.
    """

    target: Target
    chart: Path
    image: str
    policy: Policy
    database_url: pulumi.Input[str]
    redis_url: pulumi.Input[str]


def manifests(args: ServiceArgs) -> list[Manifest]:
    """Return the objects of the layer. The migration is a Job: Pulumi runs it to its end before the pods."""
    chart = helm.template(args.chart, RELEASE, SERVICE_NAMESPACE, chart_values(args.policy, args.image))
    return [
        *namespace(SERVICE_NAMESPACE, labels=ROUTES_LABEL),
        *scrape_rights(SERVICE_NAMESPACE),
        _url(DATABASE_SECRET, args.database_url),
        _url(REDIS_SECRET, args.redis_url),
        *(_awaited(each) for each in chart),
    ]


def _url(name: str, url: pulumi.Input[str]) -> Manifest:
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": meta(name, SERVICE_NAMESPACE)}
    return {**head, "type": "Opaque", "stringData": {URL_KEY: url}}


def _awaited(manifest: Manifest) -> Manifest:
    """Make Pulumi wait until the gateway took a route: it knows no readiness of custom resources."""
    if manifest["kind"] != "HTTPRoute":
        return manifest
    accepted = "jsonpath={.status.parents[0].conditions[?(@.type=='Accepted')].status}=True"
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "pulumi.com/waitFor": accepted}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


class Service(pulumi.ComponentResource):
    """The service's pods, autoscaler, routes and policies."""

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Service", name, None, opts)
        objects = manifests(args)
        policy.enforce(objects)
        self.objects: list[KubernetesObject] = register(objects, within(self, args.target))
        self.register_outputs({})
