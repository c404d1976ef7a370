"""Envoy Gateway's controller and the Gateway API, from the chart in its Go module."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, cast

import yaml

from infra import definitions, helm
from infra.manifests import GATEWAY_NAMESPACE, Manifest, resources
from tidegate.errors import TidegateError

MODULE = "github.com/envoyproxy/gateway"
VERSION = "v1.9.1"
"""Its bundled Gateway API is v1.6.1."""

RELEASE = "eg"

DEFINITIONS = frozenset(
    {
        "gatewayclasses.gateway.networking.k8s.io",
        "gateways.gateway.networking.k8s.io",
        "grpcroutes.gateway.networking.k8s.io",
        "httproutes.gateway.networking.k8s.io",
        "referencegrants.gateway.networking.k8s.io",
        "backendtrafficpolicies.gateway.envoyproxy.io",
        "clienttrafficpolicies.gateway.envoyproxy.io",
        "envoyproxies.gateway.envoyproxy.io",
        "securitypolicies.gateway.envoyproxy.io",
    }
)
"""The custom resources that are installed, of the 21 in the chart.

The controller looks at its start which exist and leaves the others alone. Each one costs memory in the API
server and a place in every state file that Pulumi writes; add the one you need.
"""


def controller(charts: Path, image: str) -> list[Manifest]:
    """Return the custom resource definitions, the certificates' Job and the controller.

    Args:
        charts: the folder `charts` of the Go module.
        image: reference of the image that serves as controller, certificate maker and sidecar of Envoy.
    """
    with tempfile.TemporaryDirectory(prefix="tidegate-chart-") as scratch:
        chart = _with_values(charts / "gateway-helm", Path(scratch) / "chart", image)
        made = helm.template(chart, RELEASE, GATEWAY_NAMESPACE, _values(), include_crds=True)
    return [
        definitions.slim(each) if each["kind"] == "CustomResourceDefinition" else each
        for each in made
        if each["kind"] != "CustomResourceDefinition" or each["metadata"]["name"] in DEFINITIONS
    ]


def _with_values(source: Path, target: Path, image: str) -> Path:
    """Copy the chart and do what its release does: fill in the version and the values template."""
    if not (source / "values.tmpl.yaml").is_file():
        raise TidegateError(
            "the gateway's chart was not found", where=str(source), cure="run `tidegate doctor`"
        )
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    values = (source / "values.tmpl.yaml").read_text(encoding="utf-8")
    for variable, value in (("GatewayImagePullPolicy", "IfNotPresent"), ("GatewayImage", image)):
        values = values.replace(f"${{{variable}}}", value)
    (target / "values.yaml").write_text(values, encoding="utf-8")
    about = cast("dict[str, Any]", yaml.safe_load((source / "Chart.yaml").read_text(encoding="utf-8")))
    about |= {"version": VERSION, "appVersion": VERSION}
    (target / "Chart.yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
    return target


def _values() -> dict[str, Any]:
    sizes = resources(50, 128, cpu_limit_m=1000, memory_limit_mi=512)
    return {
        # It guards definitions that several owners install; these have one.
        "crds": {"gatewayAPI": {"safeUpgradePolicy": {"enabled": False}}},
        # It would tell Envoy which zone a node is in; one machine has none, and its webhook is one more thing
        # that can stop a pod from starting.
        "topologyInjector": {"enabled": False},
        # A Job that deletes itself would be missing at the next preview, and be made again for ever.
        "certgen": {"job": {"ttlSecondsAfterFinished": None, "resources": sizes}},
        "deployment": {"envoyGateway": {"resources": sizes}},
    }
