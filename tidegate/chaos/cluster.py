"""What the engine asks of the Kubernetes API, and how it leaves no trace there."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Any, cast

import httpx

from tidegate.chaos.experiment import API_VERSION, OWNED, OWNER, PLURALS, TARGET_NAMESPACE, Manifest
from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.run.objects import items, text

_TIMEOUT_S = 10.0
GRACE_S = 20.0
"""Seconds the injector gets to lift a fault whose object was deleted, before the finalizer is cleared."""
CORDONED = "tidegate/cordoned"
"""Annotation of a node that a drain of ours keeps new pods from."""


class Cluster:
    """One cluster's API, for the namespace of the service.

    Args:
        access: how to reach it.
        transport: what carries the requests; only tests give one.
    """

    def __init__(self, access: ApiAccess, transport: httpx.BaseTransport | None = None) -> None:
        self._client = httpx.Client(
            base_url=access.server,
            verify=access.verify,
            headers={**access.headers, "Accept": "application/json", "User-Agent": "tidegate-chaos"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            transport=transport,
        )

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def ask(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        """Return the answer's object, None where there is no such object.

        Raises:
            TidegateError: no answer, or a refusal.
        """
        answer = self._request(method, path, **more)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        _refuse(answer, method, path)
        return cast("dict[str, Any]", answer.json())

    def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise TidegateError(f"the cluster does not answer: {error!r}", where=path) from error

    def pods(self, namespace: str = TARGET_NAMESPACE, selector: str = "") -> list[dict[str, Any]]:
        """Return the pods of a namespace."""
        params = {"labelSelector": selector} if selector else {}
        return items(self.ask("GET", f"/api/v1/namespaces/{namespace}/pods", params=params), "items")

    def nodes(self) -> list[dict[str, Any]]:
        """Return all nodes."""
        return items(self.ask("GET", "/api/v1/nodes"), "items")

    def delete_pod(self, namespace: str, name: str) -> None:
        """Delete a pod; it has its grace."""
        self.ask("DELETE", f"/api/v1/namespaces/{namespace}/pods/{name}")

    def evict(self, namespace: str, name: str) -> str:
        """Ask for a pod's eviction; return the API server's words when a disruption budget forbids it.

        Raises:
            TidegateError: no answer, or a refusal for another reason.
        """
        subject = {"name": name, "namespace": namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": subject}
        path = f"/api/v1/namespaces/{namespace}/pods/{name}/eviction"
        answer = self._request("POST", path, content=json.dumps(body), headers=_JSON)
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return _message(answer)
        _refuse(answer, "POST", path)
        return ""

    def budgets(self, namespace: str, label: str, value: str) -> list[str]:
        """Return the names of the disruption budgets that look for this label."""
        listed = self.ask("GET", f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets")
        return [
            text(each, "metadata", "name")
            for each in items(listed, "items")
            if text(each, "spec", "selector", "matchLabels", label) == value
        ]

    def cordon(self, node: str, *, on: bool) -> None:
        """Keep new pods from a node, and mark it as kept by us; or let them come again."""
        body = {
            "metadata": {"annotations": {CORDONED: "true" if on else None}},
            "spec": {"unschedulable": True if on else None},
        }
        path = f"/api/v1/nodes/{node}"
        headers = {"Content-Type": "application/merge-patch+json"}
        if self.ask("PATCH", path, content=json.dumps(body), headers=headers) is None:
            raise TidegateError(f"there is no node {node}")

    def knows_chaos(self) -> bool:
        """Whether the kinds of Chaos Mesh are defined."""
        return self.ask("GET", f"/apis/{API_VERSION}") is not None

    def apply(self, manifest: Manifest) -> dict[str, Any]:
        """Make the object, labelled as ours; one that is there already is an error.

        Raises:
            TidegateError: it is refused, or there is one of its name.
        """
        labels = {**manifest["metadata"].get("labels", {}), OWNED: OWNER}
        body = {**manifest, "metadata": {**manifest["metadata"], "labels": labels}}
        made = self.ask("POST", _place(manifest["kind"]), content=json.dumps(body), headers=_JSON)
        if made is None:
            raise TidegateError(
                f"the cluster does not know {manifest['kind']}",
                cure="set `tidegate:faults: {chaos_mesh: true}` in the stack's file and run `tidegate up`",
            )
        return made

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return an object of Chaos Mesh, None when it is gone."""
        return self.ask("GET", f"{_place(kind)}/{name}")

    def lift(self, kind: str, name: str, *, grace_s: float = GRACE_S) -> bool:
        """Delete an object and wait until it is gone; return whether the injector lifted it by itself.

        An object that never injected hangs on its finalizer for ever: after `grace_s` that is cleared.

        Raises:
            TidegateError: it is there even so.
        """
        self.ask("DELETE", f"{_place(kind)}/{name}", params={"propagationPolicy": "Foreground"})
        if self._gone(kind, name, grace_s):
            return True
        patch = {"metadata": {"finalizers": None}}
        headers = {"Content-Type": "application/merge-patch+json"}
        self.ask("PATCH", f"{_place(kind)}/{name}", content=json.dumps(patch), headers=headers)
        if not self._gone(kind, name, 10.0):
            raise TidegateError(f"{kind} {name} cannot be deleted", cure="`tidegate chaos --clean`")
        return False

    def _gone(self, kind: str, name: str, within_s: float) -> bool:
        ends_s = time.monotonic() + within_s
        while True:
            if self.get(kind, name) is None:
                return True
            if time.monotonic() >= ends_s:
                return False
            time.sleep(0.5)

    def left(self) -> list[tuple[str, str]]:
        """Return kind and name of every fault in the namespace, whoever made it; none without Chaos Mesh."""
        found: list[tuple[str, str]] = []
        # Parents first: a Schedule would make its children anew.
        for kind in sorted(PLURALS, key=lambda kind: kind not in ("Schedule", "Workflow")):
            listed = items(self.ask("GET", _place(kind)), "items")
            found += [(kind, text(each, "metadata", "name")) for each in listed]
        return found


_JSON = {"Content-Type": "application/json"}


def _place(kind: str) -> str:
    return f"/apis/{API_VERSION}/namespaces/{TARGET_NAMESPACE}/{PLURALS[kind]}"


def _refuse(answer: httpx.Response, method: str, path: str) -> None:
    """Raise what an answer that is an error says; a pod that is gone already was not to be found either."""
    if answer.is_error and answer.status_code != HTTPStatus.NOT_FOUND:
        raise TidegateError(f"HTTP {answer.status_code}: {_message(answer)}", where=f"{method} {path}")


def _message(answer: httpx.Response) -> str:
    try:
        said: object = answer.json()
    except ValueError:
        return answer.reason_phrase
    return text(said, "message") or answer.reason_phrase
