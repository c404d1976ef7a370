"""What load in the cluster asks of the Kubernetes API, and of agents by way of it.

The API server forwards to pods (`pods/proxy`): the record comes out by plain HTTP with lengths and digests,
on the one address that is known to answer. Streams of `exec` would do without the agent's server, but on busy
machines they lose pieces and say nothing of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

import httpx

from tidegate.errors import TidegateError
from tidegate.load.pods.jobs import Manifest
from tidegate.load.pods.names import (
    AGENT_PORT,
    GATEWAY_LABELS,
    GATEWAY_NAMESPACE,
    GENERATOR_LABELS,
    LOAD_LABEL,
    NAMESPACE,
)
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.run.objects import items, text

_TIMEOUT_S = 10.0
_POD_TIMEOUT_S = 5.0
_JSON = {"Content-Type": "application/json"}
_MERGE = {"Content-Type": "application/merge-patch+json"}
_JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"
_SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


class SilentError(Exception):
    """A pod's agent did not answer, or not as it should: ask again."""


class AwayError(TidegateError):
    """The API server did not answer, or could not just now."""


def _selector(labels: Mapping[str, str]) -> dict[str, str]:
    return {"labelSelector": ",".join(f"{name}={value}" for name, value in labels.items())}


class LoadApi:
    """One cluster's API, for the namespace of generators.

    Args:
        access: how to reach it.
        transport: what carries the requests; only tests give one.
    """

    def __init__(self, access: ApiAccess, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=access.server,
            verify=access.verify,
            headers={**access.headers, "User-Agent": "tidegate-load"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def require_room(self) -> None:
        """Check that the layer is there.

        Raises:
            TidegateError: it is not.
        """
        if self._ask("GET", f"/api/v1/namespaces/{NAMESPACE}") is None:
            raise TidegateError(
                "the cluster has no room for load generators",
                where=f"namespace {NAMESPACE}",
                cure="set `tidegate:load: {in_cluster: true}` in the stack's file and run `tidegate up`",
            )

    def gateway(self) -> tuple[str, str]:
        """Return the gateway's base URL inside the cluster, by address, and its host.

        Raises:
            TidegateError: there is not just one, or it has no port for plain HTTP.
        """
        where = f"services of {GATEWAY_NAMESPACE}"
        path = f"/api/v1/namespaces/{GATEWAY_NAMESPACE}/services"
        found = items(self._ask("GET", path, params=_selector(GATEWAY_LABELS)), "items")
        if len(found) != 1:
            raise TidegateError(f"the gateway has {len(found)} Services", where=where, cure="`tidegate up`")
        ports = items(found[0], "spec", "ports")
        plain = [int(each["port"]) for each in ports if not str(each.get("name", "")).startswith("https")]
        host = text(found[0], "spec", "clusterIP")
        if not plain or not host:
            raise TidegateError("the gateway takes no plain HTTP", where=where)
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{plain[0]}", host

    def make_secret(self, manifest: Manifest) -> None:
        """Make a Secret."""
        self._make(_SECRETS, manifest)

    def make_job(self, manifest: Manifest) -> str:
        """Make a Job and return its uid."""
        return text(self._make(_JOBS, manifest), "metadata", "uid")

    def give_secret_to(self, secret: str, job: str, uid: str) -> None:
        """Make a Secret go when a Job goes."""
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid}
        body = {"metadata": {"ownerReferences": [owner]}}
        self._ask("PATCH", f"{_SECRETS}/{secret}", content=json.dumps(body), headers=_MERGE)

    def pods(self, load: str) -> list[dict[str, Any]]:
        """Return the pods of a load."""
        return items(self._ask("GET", _PODS, params=_selector({LOAD_LABEL: load})), "items")

    def left(self) -> list[str]:
        """Return what there is of any load: Jobs, Secrets and pods, as kind/name."""
        found: list[str] = []
        for kind, path in (("job", _JOBS), ("secret", _SECRETS), ("pod", _PODS)):
            listed = items(self._ask("GET", path, params=_selector(GENERATOR_LABELS)), "items")
            found += [f"{kind}/{text(each, 'metadata', 'name')}" for each in listed]
        return found

    def remove(self, what: str) -> None:
        """Delete something that `left` told; its pods go with a Job. It may be gone already."""
        kind, _, name = what.partition("/")
        path = {"job": _JOBS, "secret": _SECRETS, "pod": _PODS}[kind]
        self._ask("DELETE", f"{path}/{name}", params={"propagationPolicy": "Background"})

    def agent(
        self, method: str, pod: str, path: str, params: Mapping[str, str | int] | None = None
    ) -> httpx.Response:
        """Return the answer of a pod's agent.

        Raises:
            SilentError: none came, or one that is an error.
        """
        where = f"{_PODS}/{pod}:{AGENT_PORT}/proxy{path}"
        try:
            answer = self._client.request(method, where, params=params, timeout=_POD_TIMEOUT_S)
        except httpx.HTTPError as error:
            raise SilentError(f"{type(error).__name__} {error}".rstrip()) from error
        if answer.status_code != HTTPStatus.OK:
            raise SilentError(f"HTTP {answer.status_code}")
        return answer

    def _make(self, path: str, manifest: Manifest) -> dict[str, Any]:
        made = self._ask("POST", path, content=json.dumps(manifest), headers=_JSON)
        if made is None:
            raise TidegateError("the cluster has no room for load generators", where=path)
        return made

    def _ask(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        """Return the answer's object, None where there is no such object.

        Raises:
            AwayError: no answer, or none that means anything (5xx).
            TidegateError: a refusal.
        """
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise AwayError(f"the cluster does not answer: {error!r}", where=path) from error
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.is_error:
            kind = AwayError if answer.is_server_error else TidegateError
            raise kind(
                f"HTTP {answer.status_code}: {_message(answer)}", where=f"{method} {path.partition('?')[0]}"
            )
        return cast("dict[str, Any]", answer.json())


def _message(answer: httpx.Response) -> str:
    try:
        said: object = answer.json()
    except ValueError:
        return answer.reason_phrase
    return text(said, "message") or answer.reason_phrase
