"""The service's chart as Pulumi resources, with its namespace and the addresses of its databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra import helm, policy
from infra.cluster.resources import RandomPassword
from infra.manifests import SERVICE_NAMESPACE, Manifest, meta, namespace
from infra.network.edge import ROUTES_LABEL
from infra.objects import KubernetesObject, register, within
from infra.scraping import scrape_rights
from infra.service.values import (
    AUTH_SECRET,
    DATABASE_SECRET,
    DEMO_SECRET,
    KEYS_KEY,
    PASSWORD_KEY,
    REDIS_SECRET,
    URL_KEY,
    chart_values,
)
from infra.target import Target
from tidegate.models.policy import Policy

RELEASE = "tidegate"


@dataclass(frozen=True)
class ServiceArgs:
    """What the service layer needs to know.

    Args:
        target: the cluster.
        chart: folder of the chart `tidegate-service`.
        image: reference of the service's image.
        policy: what decides scaling.
        database_url: secret; how the service reaches PostgreSQL.
        redis_url: secret; how it reaches Redis.
        nginx_image: reference of NGINX's image, where the policy asks for it.
    """

    target: Target
    chart: Path
    image: str
    policy: Policy
    database_url: pulumi.Input[str]
    redis_url: pulumi.Input[str]
    nginx_image: str | None = None


def place() -> list[Manifest]:
    """Return the service's namespace and who may look into it."""
    return [*namespace(SERVICE_NAMESPACE, labels=ROUTES_LABEL), *scrape_rights(SERVICE_NAMESPACE)]


def manifests(
    args: ServiceArgs, auth_keys: pulumi.Input[str], demo_password: pulumi.Input[str]
) -> list[Manifest]:
    """Return what is in the namespace. The migration is a Job: Pulumi runs it to its end before the pods.

    Args:
        args: what the layer needs to know.
        auth_keys: secret; the keys that sign access tokens, as `id:secret`.
        demo_password: secret; of the seeded accounts, for load tests and people.
    """
    values = chart_values(args.policy, args.image, nginx_image=args.nginx_image)
    chart = helm.template(args.chart, RELEASE, SERVICE_NAMESPACE, values)
    return [
        _secret(DATABASE_SECRET, URL_KEY, args.database_url),
        _secret(REDIS_SECRET, URL_KEY, args.redis_url),
        _secret(AUTH_SECRET, KEYS_KEY, auth_keys),
        _secret(DEMO_SECRET, PASSWORD_KEY, demo_password),
        *(_awaited(each) for each in chart),
    ]


def _secret(name: str, key: str, value: pulumi.Input[str]) -> Manifest:
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": meta(name, SERVICE_NAMESPACE)}
    return {**head, "type": "Opaque", "stringData": {key: value}}


def _awaited(manifest: Manifest) -> Manifest:
    """Make Pulumi wait until the gateway took a route: it knows no readiness of custom resources."""
    if manifest["kind"] != "HTTPRoute":
        return manifest
    accepted = "jsonpath={.status.parents[0].conditions[?(@.type=='Accepted')].status}=True"
    metadata = manifest["metadata"]
    annotations = {**metadata.get("annotations", {}), "pulumi.com/waitFor": accepted}
    return {**manifest, "metadata": {**metadata, "annotations": annotations}}


class Service(pulumi.ComponentResource):
    """The service's pods, autoscaler, routes and policies.

    Its namespace comes with it. The rest comes with `deploy`, because in between come controllers that need
    the namespace and define kinds that the rest is of. The key that signs tokens and the seeded accounts'
    password are drawn here, once a stack.
    """

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Service", name, None, opts)
        self._name, self._args = name, args
        objects = place()
        policy.enforce(objects)
        self.namespace: list[KubernetesObject] = register(objects, within(self, args.target))
        self.objects: list[KubernetesObject] = []

    def deploy(self, after: Sequence[pulumi.Resource]) -> None:
        """Make what is in the namespace.

        Args:
            after: what it needs: the gateway, the databases, the kinds of its objects.
        """
        child = pulumi.ResourceOptions(parent=self)
        # Another key beside it, under another id, would begin a change of keys.
        key = RandomPassword(f"{self._name}-auth-key", length=48, opts=child).value
        password = RandomPassword(f"{self._name}-demo", length=24, opts=child).value
        objects = manifests(self._args, pulumi.Output.concat("k1:", key), password)
        policy.enforce(objects)
        made = register(objects, within(self, self._args.target, [*self.namespace, *after]))
        self.objects = [*self.namespace, *made]
        self.register_outputs({})
