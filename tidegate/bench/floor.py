"""The fewest replicas an autoscaler keeps: moved for the time of a benchmark, and put back.

What it was before stands in an annotation of the same object, written by the same request. So a benchmark
that was killed leaves a trace in the cluster itself, and whoever comes next can put the floor back.

Written as `kubectl patch` writes: the API server keeps who owns a field, and Pulumi's provider takes back
what belongs to a manager whose name begins with kubectl (pulumi-kubernetes, provider/pkg/await/await.go,
fixCSAFieldManagers). After any other name the next `tidegate up` that changes the floor ends in a conflict.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy
from tidegate.prove.credentials import NAMESPACE
from tidegate.run.format import WEB_NAME
from tidegate.run.objects import dig, integer

BEFORE = "tidegate.io/floor-before-bench"
"""Annotation: the floor as it was deployed, while a benchmark moves it."""
PATCHED_BY = "kubectl-patch"
MERGE = {"Content-Type": "application/merge-patch+json"}
WORKER_NAME = "tidegate-worker"
_HPAS = f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers"
_SCALED_OBJECTS = f"/apis/keda.sh/v1alpha1/namespaces/{NAMESPACE}/scaledobjects"
_TRIES = 5
_PAUSE_S = 2.0

T = TypeVar("T")


def patiently(call: Callable[[], T]) -> T:
    """Return what `call` returns, tried again some times: on busy cores the API server is late now and then.

    Raises:
        TidegateError: the last try failed, too.
    """
    for _ in range(_TRIES - 1):
        try:
            return call()
        except TidegateError:
            time.sleep(_PAUSE_S)
    return call()


@dataclass(frozen=True)
class Bounds:
    """What an autoscaler's object says."""

    least: int
    most: int
    before: int | None
    """The floor as it was deployed, where a benchmark has moved it."""


@dataclass(frozen=True)
class Floor:
    """The fewest replicas of one workload, wherever its autoscaler has them.

    Args:
        cluster: the API.
        path: of the object that holds them.
        least: their field below `spec`.
        most: the field of the most replicas.
    """

    cluster: Cluster
    path: str
    least: str
    most: str

    @property
    def name(self) -> str:
        """The object in the words of kubectl."""
        kind, name = self.path.rsplit("/", 2)[-2:]
        return f"{kind.removesuffix('s')}/{name}"

    def look(self) -> Bounds:
        """Return what the object says.

        Raises:
            TidegateError: there is no such object, it cannot be read, or the annotation is no number.
        """
        found = patiently(lambda: self.cluster.ask("GET", self.path))
        least, most = integer(found, "spec", self.least), integer(found, "spec", self.most)
        if least is None or most is None:
            raise TidegateError("the autoscaler is not there", where=self.name, cure="run `tidegate up`")
        said: object = dig(found, "metadata", "annotations", BEFORE)
        if said is None:
            return Bounds(least, most, None)
        if not isinstance(said, str) or not said.isdecimal():
            raise TidegateError(f"{BEFORE} is {said!r}, not a number", where=self.name, cure="remove it")
        return Bounds(least, most, int(said))

    def move(self, replicas: int) -> None:
        """Make `replicas` the floor, and keep in mind what it was.

        Raises:
            TidegateError: it cannot be read or written.
        """
        now = self.look()
        before = now.least if now.before is None else now.before
        self._write(replicas, str(before))

    def put_back(self) -> int | None:
        """Put the floor back, and return where it was found; None where nobody had moved it.

        Raises:
            TidegateError: it cannot be read or written.
        """
        now = self.look()
        if now.before is None:
            return None
        self._write(now.before, None)
        return now.least

    def _write(self, replicas: int, before: str | None) -> None:
        body: dict[str, Any] = {
            "metadata": {"annotations": {BEFORE: before}},
            "spec": {self.least: replicas},
        }
        patch(self.cluster, self.path, body)


def patch(cluster: Cluster, path: str, body: dict[str, Any], *, manager: str = PATCHED_BY) -> dict[str, Any]:
    """Merge `body` into the object at `path`, and return the object.

    Args:
        cluster: the API.
        path: of the object.
        body: JSON merge patch (RFC 7386).
        manager: who the API server shall say has written it; see the module's docstring.

    Raises:
        TidegateError: it is not there, or the API server refuses.
    """
    content, params = json.dumps(body), {"fieldManager": manager}
    done = patiently(lambda: cluster.ask("PATCH", path, content=content, headers=MERGE, params=params))
    if done is None:
        raise TidegateError("there is no such object", where=path, cure="run `tidegate up`")
    return done


def web_floor(cluster: Cluster, policy: Policy) -> Floor:
    """Return the floor of the web pods: in the chart's own HPA, or in KEDA's ScaledObject."""
    if policy.web.hpa.metric == "rps":
        return Floor(cluster, f"{_SCALED_OBJECTS}/{WEB_NAME}", "minReplicaCount", "maxReplicaCount")
    return Floor(cluster, f"{_HPAS}/{WEB_NAME}", "minReplicas", "maxReplicas")


def worker_floor(cluster: Cluster, policy: Policy) -> Floor | None:
    """Return the floor of the workers; None where nothing scales them."""
    if policy.worker.scale_by != "queue":
        return None
    return Floor(cluster, f"{_SCALED_OBJECTS}/{WORKER_NAME}", "minReplicaCount", "maxReplicaCount")


def put_all_back(floors: Sequence[Floor], say: Callable[[str], None]) -> None:
    """Put every floor back that somebody moved; one that cannot be does not keep the next from it.

    Raises:
        TidegateError: one is still moved.
    """
    failed: TidegateError | None = None
    for floor in floors:
        try:
            found = floor.put_back()
            if found is not None:
                say(f"{floor.name}: the floor was {found}, it is {floor.look().least} again")
        except TidegateError as error:
            failed = TidegateError(
                f"the floor of {floor.name} may still be moved: {error}",
                cure="`tidegate bench churn --clean` with the same --stack",
            )
    if failed is not None:
        raise failed


@contextmanager
def floors_kept(floors: Sequence[Floor], say: Callable[[str], None]) -> Generator[None]:
    """Put the floors back when the block ends, however it does; at its start what an earlier one left, too.

    Raises:
        TidegateError: a floor could not be put back.
    """
    put_all_back(floors, lambda said: say(f"left by a benchmark that was broken off: {said}"))
    try:
        yield
    finally:
        put_all_back(floors, say)
