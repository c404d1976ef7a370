"""The databases, their passwords, and the addresses by which the service finds them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import policy
from infra.cluster.resources import RandomPassword
from infra.data import postgres as pg
from infra.data import redis as rd
from infra.manifests import DATA_NAMESPACE, Manifest, namespace
from infra.objects import KubernetesObject, register, within
from infra.target import Target


@dataclass(frozen=True)
class DataArgs:
    """What the data layer needs to know.

    Args:
        target: the cluster, with its network ready.
        postgres_image: image reference.
        redis_image: image reference.
    """

    target: Target
    postgres_image: str
    redis_image: str


def manifests(
    args: DataArgs,
    postgres_password: pulumi.Input[str],
    superuser_password: pulumi.Input[str],
    redis_password: pulumi.Input[str],
) -> list[Manifest]:
    """Return the objects of the layer."""
    return [
        *namespace(DATA_NAMESPACE),
        *pg.postgres(args.postgres_image, postgres_password, superuser_password),
        *rd.redis(args.redis_image, redis_password),
    ]


class Data(pulumi.ComponentResource):
    """PostgreSQL and Redis.

    `database_url` and `redis_url` are secret: they hold the passwords.
    """

    def __init__(self, name: str, args: DataArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Data", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = RandomPassword(f"{name}-postgres", opts=child).value
        superuser = RandomPassword(f"{name}-postgres-superuser", opts=child).value
        redis_password = RandomPassword(f"{name}-redis", opts=child).value
        objects = manifests(args, password, superuser, redis_password)
        policy.enforce(objects)
        self.objects: list[KubernetesObject] = register(objects, within(self, args.target))
        host = f"{pg.NAME}.{DATA_NAMESPACE}.svc.cluster.local"
        self.database_url: pulumi.Output[str] = pulumi.Output.concat(
            f"postgresql+asyncpg://{pg.USER}:", password, f"@{host}:{pg.PORT}/{pg.DATABASE}"
        )
        host = f"{rd.NAME}.{DATA_NAMESPACE}.svc.cluster.local"
        self.redis_url: pulumi.Output[str] = pulumi.Output.concat(
            "redis://:", redis_password, f"@{host}:{rd.PORT}/0"
        )
        self.register_outputs({})
