"""AWS Fault Injection Service templates from the same experiments, where FIS has such an action.

Action and target names, and their parameters, are those of AWS's actions reference
(docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html and eks-pod-actions.html). A template is
checked against the service model that botocore ships; it knows the shape of a template, not of parameters.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tidegate.chaos.duration import duration_s
from tidegate.chaos.experiment import Experiment, Fault
from tidegate.errors import TidegateError
from tidegate.models.slo import Slo
from tidegate.run.objects import dig

_CLUSTER_ARN = re.compile(r"arn:(aws[a-z-]*):eks:([a-z0-9-]+):(\d{12}):cluster/([A-Za-z0-9_-]+)")
_LEAST_S = 60.0
"""FIS takes no duration below a minute."""
SERVICE_ACCOUNT = "fis"
"""Kubernetes account in the service's namespace under which FIS's own pod works."""
Template = dict[str, Any]
_BOTOCORE = ("loaders", "model", "validate")
_PORTS = {"redis": "6379", "postgres": "5432"}


@dataclass(frozen=True)
class Account:
    """Where in AWS the experiments are done."""

    partition: str
    region: str
    number: str
    cluster: str

    @property
    def cluster_arn(self) -> str:
        """Of the EKS cluster."""
        return f"arn:{self.partition}:eks:{self.region}:{self.number}:cluster/{self.cluster}"

    @property
    def role_arn(self) -> str:
        """Of the role that FIS assumes."""
        return f"arn:{self.partition}:iam::{self.number}:role/{self.cluster}-fis"

    def alarm_arn(self, name: str) -> str:
        """Of an alarm of the stack."""
        return f"arn:{self.partition}:cloudwatch:{self.region}:{self.number}:alarm:{self.cluster}-{name}"


def account(cluster_arn: str) -> Account:
    """Return the account that a cluster's ARN names.

    Raises:
        TidegateError: it is no ARN of an EKS cluster.
    """
    found = _CLUSTER_ARN.fullmatch(cluster_arn)
    if found is None:
        raise TidegateError(
            f"{cluster_arn!r} is no ARN of an EKS cluster",
            cure="write arn:aws:eks:eu-central-1:111122223333:cluster/name",
        )
    return Account(*found.groups())


def alarm_names(slo: Slo) -> list[str]:
    """Return the names of the alarms that the objectives have, without the cluster's name before them."""
    return ["availability", *(f"latency-{each.route_group}-p{each.percentile:g}" for each in slo.latency)]


def template(experiment: Experiment, slo: Slo, place: Account) -> Template:
    """Return the input of FIS's CreateExperimentTemplate for an experiment.

    Raises:
        TidegateError: FIS has no such action; the message says what is missing.
    """
    if len(experiment.faults) != 1 or experiment.kind in ("Schedule", "Workflow"):
        raise TidegateError(f"a {experiment.kind} has no counterpart: FIS is started by EventBridge instead")
    fault = experiment.faults[0]
    made = _COUNTERPARTS.get((fault.kind, fault.action))
    if made is None:
        raise TidegateError(_MISSING.get((fault.kind, fault.action), f"FIS has no action for {fault.action}"))
    actions, targets = made(fault, place)
    return {
        "clientToken": f"tidegate-{experiment.name}",
        "description": experiment.hypothesis.statement[:512],
        "roleArn": place.role_arn,
        "stopConditions": [
            {"source": "aws:cloudwatch:alarm", "value": place.alarm_arn(name)} for name in alarm_names(slo)
        ],
        "targets": targets,
        "actions": actions,
        "experimentOptions": {"emptyTargetResolutionMode": "fail"},
        "tags": {"Name": experiment.name, "managed-by": "tidegate"},
    }


Counterpart = Callable[[Fault, Account], tuple[dict[str, Any], dict[str, Any]]]


def _minutes(fault: Fault) -> str:
    return f"PT{math.ceil(max(_LEAST_S, fault.duration_s) / 60)}M"


def _pods(fault: Fault, place: Account) -> dict[str, Any]:
    labels: Mapping[str, str] = dig(fault.spec, "selector", "labelSelectors") or {}
    parameters = {
        "clusterIdentifier": place.cluster_arn,
        "namespace": str(dig(fault.spec, "selector", "namespaces")[0]),
        "selectorType": "labelSelector",
        "selectorValue": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
    }
    named: Sequence[str] = fault.spec.get("containerNames") or ()
    if named:
        parameters["targetContainerName"] = named[0]
    mode, value = fault.spec.get("mode"), fault.spec.get("value")
    selection = {
        "one": "COUNT(1)",
        "all": "ALL",
        "fixed": f"COUNT({value})",
        "fixed-percent": f"PERCENT({value})",
    }
    return {"resourceType": "aws:eks:pod", "selectionMode": selection[str(mode)], "parameters": parameters}


def _pod_action(
    action_id: str, parameters: Callable[[Fault], dict[str, str]], *, lasts: bool = True
) -> Counterpart:
    def made(fault: Fault, place: Account) -> tuple[dict[str, Any], dict[str, Any]]:
        given = {"kubernetesServiceAccount": SERVICE_ACCOUNT, **parameters(fault)}
        if lasts:
            given["duration"] = _minutes(fault)
        action = {"actionId": action_id, "parameters": given, "targets": {"Pods": "pods"}}
        return {"fault": action}, {"pods": _pods(fault, place)}

    return made


def _delete(fault: Fault) -> dict[str, str]:
    return {"gracePeriodSeconds": str(fault.spec.get("gracePeriod", 0))}


def _delay(fault: Fault) -> dict[str, str]:
    given: Mapping[str, str] = fault.spec.get("delay") or {}
    found = {"delayMilliseconds": f"{1000 * duration_s(given['latency']):.0f}"}
    if "jitter" in given:
        found["jitterMilliseconds"] = f"{1000 * duration_s(given['jitter']):.0f}"
    return {**found, "sources": ",".join(fault.spec.get("externalTargets") or ())}


def _loss(fault: Fault) -> dict[str, str]:
    return {
        "lossPercent": str(dig(fault.spec, "loss", "loss")),
        "sources": ",".join(fault.spec.get("externalTargets") or ()),
    }


def _partition(fault: Fault) -> dict[str, str]:
    (target,) = fault.spec.get("externalTargets") or ("",)
    port = _PORTS.get(str(target).partition(".")[0])
    if port is None:
        raise TidegateError(f"FIS cuts off ports and not hosts, and that of {target} is not known")
    return {"port": port, "protocol": "tcp", "trafficType": "egress"}


def _cpu_or_memory(fault: Fault, place: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    stressors: Mapping[str, Any] = fault.spec.get("stressors") or {}
    if "memory" in stressors:
        raise TidegateError(
            "FIS stresses memory by percent of the container's limit, this experiment by megabytes"
        )
    cpu: Mapping[str, Any] = stressors["cpu"]
    given = {"workers": str(cpu["workers"]), "percent": str(cpu.get("load", 100))}
    return _pod_action("aws:eks:pod-cpu-stress", lambda _: given)(fault, place)


def _nodes(_: Fault, place: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    action = {
        "actionId": "aws:eks:terminate-nodegroup-instances",
        "parameters": {"instanceTerminationPercentage": "50"},
        "targets": {"Nodegroups": "nodes"},
    }
    tags = {"eks:cluster-name": place.cluster}
    target = {"resourceType": "aws:eks:nodegroup", "selectionMode": "COUNT(1)", "resourceTags": tags}
    return {"fault": action}, {"nodes": target}


def _database(_: Fault, place: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    action = {
        "actionId": "aws:rds:reboot-db-instances",
        "parameters": {},
        "targets": {"DBInstances": "database"},
    }
    tags = {"tidegate:stack": place.cluster}
    target = {"resourceType": "aws:rds:db", "selectionMode": "COUNT(1)", "resourceTags": tags}
    return {"fault": action}, {"database": target}


_COUNTERPARTS: Mapping[tuple[str, str], Counterpart] = {
    ("PodChaos", "pod-kill"): _pod_action("aws:eks:pod-delete", _delete, lasts=False),
    ("StressChaos", "stress"): _cpu_or_memory,
    ("NetworkChaos", "delay"): _pod_action("aws:eks:pod-network-latency", _delay),
    ("NetworkChaos", "loss"): _pod_action("aws:eks:pod-network-packet-loss", _loss),
    ("NetworkChaos", "partition"): _pod_action("aws:eks:pod-network-blackhole-port", _partition),
    ("HostFault", "stop-node"): _nodes,
    ("HostFault", "replace-pod"): _database,
}
_MISSING: Mapping[tuple[str, str], str] = {
    ("PodChaos", "pod-failure"): "FIS has no action that keeps a pod's containers from running",
    ("PodChaos", "container-kill"): "FIS deletes pods; it has no action that kills a container inside one",
    ("TimeChaos", "time"): "FIS has no action that shifts a clock",
    ("DNSChaos", "error"): "FIS has no action on name resolution inside a cluster",
    ("HostFault", "drain-node"): "FIS ends instances of a node group; it has no action that drains a node",
    ("IOChaos", "latency"): "FIS stresses I/O of pods; it has no action that delays it",
    ("HTTPChaos", "http"): "FIS has no action on HTTP inside pods",
}


def validate(made: Template) -> list[str]:
    """Return what botocore's service model has against a template; empty where nothing is.

    Raises:
        TidegateError: botocore is not installed.
    """
    try:
        # Without types of its own: taken by name, so that nothing of it spreads into the rest.
        loaders, shapes, checks = (import_module(f"botocore.{name}") for name in _BOTOCORE)
    except ImportError as error:
        raise TidegateError("botocore is not installed", cure="uv sync --group aws") from error
    model = shapes.ServiceModel(loaders.Loader().load_service_model("fis", "service-2"), "fis")
    shape = model.operation_model("CreateExperimentTemplate").input_shape
    report = checks.ParamValidator().validate(made, shape)
    return report.generate_report().splitlines() if report.has_errors() else []


def save_templates(experiments: Sequence[Experiment], slo: Slo, place: Account, folder: Path) -> list[str]:
    """Write a template for each experiment that has a counterpart; return a line about each of them.

    Raises:
        TidegateError: a template does not fit the service model, or cannot be written.
    """
    lines: list[str] = []
    for each in experiments:
        try:
            made = template(each, slo, place)
        except TidegateError as error:
            lines.append(f"{each.name}: no counterpart: {error.what}")
            continue
        problems = validate(made)
        if problems:
            raise TidegateError(f"not what FIS takes: {problems[0]}", where=each.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{each.name}.json").write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise TidegateError(f"cannot write: {error.strerror}", where=str(folder)) from error
        lines.append(f"{each.name}: {folder / f'{each.name}.json'}")
    return lines
