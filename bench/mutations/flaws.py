"""The changes that break a set-up, as edits of the objects of a deployed stack."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.mutations.effect import AUTOSCALER, DEPLOYMENT, RETRIES
from bench.mutations.objects import Change, Object, edited, made
from tidegate.chaos.experiment import TARGET_NAMESPACE, Experiment
from tidegate.errors import TidegateError
from tidegate.run.format import WEB_COMPONENT
from tidegate.run.objects import items, text

NOBODY = "192.0.2.1"
"""An address for documentation (RFC 5737): no machine has it."""
_PROGRAM = Path(__file__).with_name("broken.py")
_CONFIG_MAP = "tidegate-broken"
_FOLDER = "/broken"


def as_it_is(experiment: Experiment) -> Experiment:
    """Leave the experiment as its file has it."""
    return experiment


def aimed_at_nobody(experiment: Experiment) -> Experiment:
    """Cut the chosen pods off from an address where nobody is."""
    manifest = copy.deepcopy(experiment.manifest)
    manifest["spec"]["externalTargets"] = [NOBODY]
    faults = tuple(replace(fault, spec=manifest["spec"]) for fault in experiment.faults)
    return replace(experiment, manifest=manifest, faults=faults)


def bounded(least: int, most: int) -> Change:
    """Give the autoscaler other bounds."""

    def edit(hpa: Object) -> None:
        hpa["spec"] |= {"minReplicas": least, "maxReplicas": most}

    return edited(AUTOSCALER, edit)


def without_pre_stop(deployment: Object) -> None:
    """Let a pod's process be told to end at once."""
    if web_container(deployment).pop("lifecycle", None) is None:
        raise TidegateError("the web container has no preStop hook that could be removed")


def probed_for_life(deployment: Object) -> None:
    """Ask whether the process lives where it should be asked whether it can serve."""
    for probe in ("startupProbe", "readinessProbe"):
        web_container(deployment)[probe]["httpGet"]["path"] = "/healthz"


def broken(flaw: str) -> tuple[Change, ...]:
    """Run the service with a flaw of `broken.py`, which a ConfigMap brings into the pods."""

    def edit(deployment: Object) -> None:
        container = web_container(deployment)
        container["command"] = ["python", f"{_FOLDER}/{_PROGRAM.name}", flaw]
        container.pop("args", None)
        container.setdefault("volumeMounts", []).append(
            {"name": _CONFIG_MAP, "mountPath": _FOLDER, "readOnly": True}
        )
        volume = {"name": _CONFIG_MAP, "configMap": {"name": _CONFIG_MAP}}
        deployment["spec"]["template"]["spec"].setdefault("volumes", []).append(volume)

    program: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _CONFIG_MAP, "namespace": TARGET_NAMESPACE},
        "data": {_PROGRAM.name: _PROGRAM.read_text(encoding="utf-8")},
    }
    place = f"/api/v1/namespaces/{TARGET_NAMESPACE}/configmaps/{_CONFIG_MAP}"
    return made(place, program), edited(DEPLOYMENT, edit)


def retrying() -> tuple[Change, ...]:
    """Have the gateway send everything again that failed, whatever it is."""

    def edit(rules: Object) -> None:
        retry: dict[str, Any] = rules["spec"].setdefault("retry", {})
        retry["numRetries"] = 5
        retry["retryOn"] = {
            "triggers": ["connect-failure", "refused-stream", "reset", "retriable-status-codes"],
            "httpStatusCodes": [503],
        }

    return tuple(edited(path, edit) for path in RETRIES)


def without_leeway(budget: Object) -> None:
    """Allow no eviction at all."""
    budget["spec"].pop("minAvailable", None)
    budget["spec"]["maxUnavailable"] = 0


def web_container(deployment: Object) -> dict[str, Any]:
    """Return the container that serves.

    Raises:
        TidegateError: there is none of that name.
    """
    for container in items(deployment, "spec", "template", "spec", "containers"):
        if text(container, "name") == WEB_COMPONENT:
            return container
    raise TidegateError(f"the Deployment has no container {WEB_COMPONENT}")
