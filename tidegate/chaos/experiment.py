"""One experiment: a Kubernetes object that makes a fault, and the hypothesis beside it.

Most are objects of Chaos Mesh. What no injector in the cluster can do (stop or drain a node, replace a pod of
another namespace) is a ConfigMap labelled `tidegate/host-fault`: `kubectl apply` accepts it too, and only
`tidegate chaos` acts on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, cast

import yaml
from pydantic import Field, ValidationError, model_validator

from tidegate.chaos.duration import duration_s
from tidegate.errors import TidegateError
from tidegate.models.base import Model, SecondsFloat
from tidegate.models.hypothesis import HYPOTHESIS, Hypothesis
from tidegate.models.problems import explain
from tidegate.run.objects import dig, items, text

API_VERSION = "chaos-mesh.org/v1alpha1"
TARGET_NAMESPACE = "tidegate"
"""The one namespace in which Chaos Mesh may do anything."""
HOST_FAULT = "tidegate/host-fault"
OWNED = "app.kubernetes.io/managed-by"
"""Label by which everything that `tidegate chaos` applied is found again."""
OWNER = "tidegate-chaos"
LASTS = "tidegate/lasts"
"""Annotation of a Schedule: how long it may go on, as 2m."""
LONGEST_S = 600.0

FAULT_KINDS: Mapping[str, str] = {
    "PodChaos": "podchaos",
    "StressChaos": "stresschaos",
    "NetworkChaos": "networkchaos",
    "TimeChaos": "timechaos",
    "DNSChaos": "dnschaos",
    "IOChaos": "iochaos",
    "HTTPChaos": "httpchaos",
}
"""Kind and plural of the faults that are used."""
PLURALS: Mapping[str, str] = {**FAULT_KINDS, "Schedule": "schedules", "Workflow": "workflows"}
_AT_ONCE = frozenset({"pod-kill", "container-kill"})
Manifest = dict[str, Any]


class HostFault(Model):
    """The data of a ConfigMap that asks for a fault from outside the cluster."""

    action: Literal["stop-node", "replace-pod", "drain-node"] = Field(description="What is done.")
    duration: str = Field(description="How long, as 60s; replacing a pod is over when it is done.")
    namespace: str = Field(
        default=TARGET_NAMESPACE, description="Namespace of the pods that are replaced or evicted."
    )
    selector: str = Field(default="", description="Label selector of those pods, as name=value.")

    @model_validator(mode="after")
    def _chosen(self) -> Self:
        if (self.action == "stop-node") == bool(self.selector):
            # Without one, every pod of the namespace would be deleted or evicted.
            raise ValueError(f"{self.action} {'takes no' if self.selector else 'needs a'} `selector`")
        return self


@dataclass(frozen=True)
class Fault:
    """One fault inside an experiment."""

    kind: str
    """`PodChaos` and so on, or `HostFault`."""
    action: str
    spec: dict[str, Any]
    duration_s: float

    @property
    def at_once(self) -> bool:
        """Whether it is over as soon as it is done; its duration only bounds how often it is tried."""
        return self.action in _AT_ONCE or self.action == "replace-pod"


@dataclass(frozen=True)
class Experiment:
    """An experiment as its file says."""

    name: str
    path: Path
    manifest: Manifest
    hypothesis: Hypothesis
    faults: tuple[Fault, ...]
    expires_s: SecondsFloat
    """Seconds after which the cluster, or the process that waits on the host, lifts it by itself."""

    @property
    def kind(self) -> str:
        """Kind of its object."""
        return str(self.manifest["kind"])

    @property
    def from_host(self) -> bool:
        """Whether it is done from outside the cluster."""
        return self.kind == "ConfigMap"

    @property
    def at_once(self) -> bool:
        """Whether all of it is over as soon as it is done."""
        return all(fault.at_once for fault in self.faults) and self.kind not in ("Schedule", "Workflow")


def read_experiment(path: Path) -> Experiment:
    """Read one file of `chaos/`.

    Raises:
        TidegateError: it is not one object, has no hypothesis, never ends, or reaches beyond the service.
    """
    try:
        documents = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    except (OSError, yaml.YAMLError) as error:
        raise TidegateError(f"not readable as YAML: {error}", where=str(path)) from error
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise TidegateError(f"has {len(documents)} objects, not one", where=str(path))
    manifest = cast("Manifest", documents[0])
    name = text(manifest, "metadata", "name")
    if name != path.stem:
        raise TidegateError(f"metadata.name is {name!r}", where=str(path), cure=f"name it {path.stem}")
    if text(manifest, "metadata", "namespace") != TARGET_NAMESPACE:
        raise TidegateError(
            "metadata.namespace is another one", where=str(path), cure=f"make it {TARGET_NAMESPACE}"
        )
    faults = tuple(_faults(manifest, path))
    for fault in faults:
        _refuse_strangers(fault, path)
    return Experiment(
        name, path, manifest, _hypothesis(manifest, path), faults, _expiry_s(manifest, faults, path)
    )


def _hypothesis(manifest: Manifest, path: Path) -> Hypothesis:
    written = text(manifest, "metadata", "annotations", HYPOTHESIS)
    try:
        return Hypothesis.model_validate(yaml.safe_load(written) or {})
    except ValidationError as error:
        raise explain(error, Hypothesis, file=str(path), prefix=HYPOTHESIS) from error
    except yaml.YAMLError as error:
        raise TidegateError(f"annotation {HYPOTHESIS} is not YAML: {error}", where=str(path)) from error


def _faults(manifest: Manifest, path: Path) -> Iterator[Fault]:
    kind, version = str(manifest.get("kind")), manifest.get("apiVersion")
    if kind == "ConfigMap":
        yield _host_fault(manifest, path)
        return
    if version != API_VERSION or kind not in PLURALS:
        raise TidegateError(f"{version} {kind} is no fault that is known", where=str(path))
    spec = cast("dict[str, Any]", manifest.get("spec") or {})
    if kind == "Workflow":
        found = False
        for template in items(spec, "templates"):
            inner = str(template.get("templateType"))
            if inner in FAULT_KINDS:
                found = True
                # A template's deadline ends it; Chaos Mesh allows no `duration` of its own there.
                yield _fault(inner, _embedded(template, inner), path, template.get("deadline"))
        if not found:
            raise TidegateError("the workflow has no fault", where=str(path))
        return
    if kind == "Schedule":
        inner = str(spec.get("type"))
        if inner not in FAULT_KINDS:
            raise TidegateError(f"a Schedule of {inner!r} is not known", where=str(path))
        yield _fault(inner, _embedded(spec, inner), path, None)
        return
    yield _fault(kind, spec, path, None)


def _embedded(parent: dict[str, Any], kind: str) -> dict[str, Any]:
    # As the API names it: PodChaos is podChaos, DNSChaos dnsChaos, HTTPChaos httpChaos, IOChaos ioChaos.
    stem = kind.removesuffix("Chaos")
    key = (stem.lower() if stem.isupper() else stem[0].lower() + stem[1:]) + "Chaos"
    return cast("dict[str, Any]", parent.get(key) or {})


def _fault(kind: str, spec: dict[str, Any], path: Path, deadline: object) -> Fault:
    given = deadline or spec.get("duration")
    if not given:
        raise TidegateError("a fault without an end", where=str(path), cure="set spec.duration")
    action = str(spec.get("action") or kind.removesuffix("Chaos").lower())
    return Fault(kind, action, spec, _seconds(str(given), path))


def _host_fault(manifest: Manifest, path: Path) -> Fault:
    if text(manifest, "metadata", "labels", HOST_FAULT) != "true":
        raise TidegateError("a ConfigMap without the label " + HOST_FAULT, where=str(path))
    try:
        asked = HostFault.model_validate(manifest.get("data") or {})
    except ValidationError as error:
        raise explain(error, HostFault, file=str(path), prefix="data") from error
    return Fault("HostFault", asked.action, asked.model_dump(), _seconds(asked.duration, path))


def _seconds(written: str, path: Path) -> float:
    try:
        found = duration_s(written)
    except ValueError as error:
        raise TidegateError(str(error), where=str(path)) from error
    if not 0 < found <= LONGEST_S:
        raise TidegateError(f"lasts {found:g} s; more than 0 and at most {LONGEST_S:g} s", where=str(path))
    return found


def _expiry_s(manifest: Manifest, faults: tuple[Fault, ...], path: Path) -> float:
    spec = cast("dict[str, Any]", manifest.get("spec") or {})
    if manifest["kind"] == "Workflow":
        entries = [one for one in items(spec, "templates") if one.get("name") == spec.get("entry")]
        if not entries or not entries[0].get("deadline"):
            raise TidegateError("the workflow's entry has no deadline", where=str(path))
        return _seconds(str(entries[0]["deadline"]), path)
    if manifest["kind"] == "Schedule":
        # Chaos Mesh would go on for ever: a process that outlives the tool deletes it then.
        lasts = text(manifest, "metadata", "annotations", LASTS)
        if not lasts:
            raise TidegateError(f"a Schedule without the annotation {LASTS}", where=str(path))
        return _seconds(lasts, path)
    return max(fault.duration_s for fault in faults)


def _refuse_strangers(fault: Fault, path: Path) -> None:
    """A selector without a namespace means all of them, and one without labels everything there."""
    if fault.kind == "HostFault":
        return
    chosen = dig(fault.spec, "selector", "namespaces")
    if chosen != [TARGET_NAMESPACE]:
        raise TidegateError(
            f"selector.namespaces is {chosen}", where=str(path), cure=f"make it [{TARGET_NAMESPACE}]"
        )
    if not dig(fault.spec, "selector", "labelSelectors"):
        raise TidegateError("the selector names no label: every pod would be hit", where=str(path))
    if fault.spec.get("mode") not in ("one", "all", "fixed", "fixed-percent"):
        raise TidegateError(f"mode {fault.spec.get('mode')!r} is not known", where=str(path))
