"""Every Kubernetes object that `pulumi up` would make of a stack, by the program itself and not by a list."""

from __future__ import annotations

import gc
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from support.pulumi_program import run_program

from infra import entry, helm, images
from infra.images import Images
from infra.load.layer import manifests
from infra.manifests import SERVICE_NAMESPACE, Manifest
from infra.service.layer import RELEASE
from tidegate.images.ensure import ensure_files
from tidegate.load.pods.jobs import LoadJobs
from tidegate.models.faults import FaultsConfig
from tidegate.models.load import LoadConfig
from tidegate.models.policy import Policy
from tidegate.models.stack import StackConfig, load_stack

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "tidegate-service"
NO_ENGINE = "unix:///nowhere/docker.sock"
NODE_STORAGE = ROOT / "images" / "node" / "default-storage.yaml"

CHART_ONLY, NODE_IMAGE = "chart only", "node image"
EXPERIMENTS, GENERATORS = "experiments", "generators"
"""Names of the objects that are of no stack: see `render_chart`, `node_storage`, `experiments` and
`load_generators`."""

EVERYTHING: Mapping[str, Mapping[str, Any]] = {
    # Between them, every controller, every mode and every container there can be.
    "by requests": {
        "web": {
            "hpa": {"metric": "rps", "tolerance_up": 0.05, "tolerance_down": 0.2},
            "vpa": {"mode": "InPlaceOrRecreate", "resources": "both"},
            "nginx": {"enabled": True},
        },
        "worker": {"scale_by": "queue", "vpa": {"mode": "Off"}},
        "node_groups": [{"name": "small"}, {"name": "large", "min_nodes": 1, "max_nodes": 2}],
        "headroom": {"replicas": 2},
    },
    "by CPU": {
        "web": {"vpa": {"mode": "Off"}, "hpa": {"tolerance_up": 0.05}},
        "worker": {"replicas": 2, "vpa": {"mode": "Recreate", "resources": "both"}},
        "node_groups": [{"name": "own", "dedicated": True}],
    },
}

CHART_VALUES: Mapping[str, Any] = {
    # What the chart can do and no policy asks for.
    "dashboards": {"enabled": True},
    "tracing": {"endpoint": "http://collector.tracing:4318", "collectorNamespace": "tracing"},
    "operators": {"existingSecret": "tidegate-operators"},
    "demo": {"existingSecret": "tidegate-demo"},
    "gateway": {"hostnames": ["shop.example"]},
    "tolerations": [{"key": "dedicated", "operator": "Exists", "effect": "NoSchedule"}],
}


def stacks() -> dict[str, StackConfig]:
    """Return one stack with nothing but defaults, those that turn everything on, and the project's own.

    Of stacks that agree in policy, faults and load only the first: what else they say, such as the cluster's
    name, changes no object but Prometheus' rules, which have tests of their own.
    """
    own = {path.name.split(".")[1]: load_stack(path) for path in sorted(ROOT.glob("Pulumi.*.yaml"))}
    plain = StackConfig(slo=own["local"].slo)
    chosen = {name: Policy.model_validate(policy) for name, policy in EVERYTHING.items()}
    changes = {
        name: {
            "policy": each,
            "faults": FaultsConfig(chaos_mesh=True),
            "load": LoadConfig(in_cluster=True),
        }
        for name, each in chosen.items()
    }
    more = {name: plain.model_copy(update=change) for name, change in changes.items()}
    found: dict[str, StackConfig] = {}
    for name, stack in {"defaults": plain, **more, "local": own["local"], **own}.items():
        decides = (stack.policy, stack.faults, stack.load)
        if all(decides != (other.policy, other.faults, other.load) for other in found.values()):
            found[name] = stack
    return found


def render(stack: StackConfig) -> list[Manifest]:
    """Return the objects of a stack, as the program that Pulumi calls registers them.

    Only what is asked for is put in its place: the stack instead of a file's, and images by their names in
    the catalogue, of which the engine need have none.
    """

    def named(policy: Policy, faults: FaultsConfig, *, load: LoadConfig, **_: object) -> Images:
        return images.from_catalogue(policy, faults, preview=True, load=load)

    def given(_: Path) -> StackConfig:
        return stack

    with pytest.MonkeyPatch.context() as here:
        here.setenv("DOCKER_HOST", NO_ENGINE)
        here.setattr(entry, "from_catalogue", named)
        here.setattr(entry, "load_stack", given)
        here.setattr(entry, "ensure_files", _files)
        with _without_collector():
            return [_whole(each.inputs) for each in run_program(entry.main).objects()]


@contextmanager
def _without_collector() -> Generator[None]:
    """Half of the time would go into looking for garbage among what is all still used."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


_files = cache(ensure_files)
"""Looked for once, and not for every stack."""


def _whole(value: Any) -> Any:
    """Undo what becomes of whole numbers on their way to Pulumi's engine, as its provider does."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_whole(each) for each in cast("list[Any]", value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def render_chart() -> list[Manifest]:
    """Return the chart's objects with what it can do and no policy asks for."""
    return helm.template(CHART, RELEASE, SERVICE_NAMESPACE, CHART_VALUES)


def node_storage() -> list[Manifest]:
    """Return what the node image brings along: the default StorageClass and who serves it."""
    return helm.documents(NODE_STORAGE.read_text(encoding="utf-8"))


def experiments() -> list[Manifest]:
    """Return what `kubectl apply -f chaos` would make."""
    files = sorted((ROOT / "chaos").glob("*.yaml"))
    return [each for file in files for each in helm.documents(file.read_text(encoding="utf-8"))]


def load_generators() -> list[Manifest]:
    """Return what a load from pods of the cluster makes, and where it makes it."""
    target, config = "http://10.96.0.80:80", LoadConfig(in_cluster=True)
    jobs = LoadJobs("load-1", "tidegate/load:1", "spike.py", (), target, "10.96.0.80", 2, config, 60.0)
    return [*manifests(config), jobs.secret("password"), jobs.master(), jobs.worker("10.244.0.5")]


def images_of(stack: StackConfig) -> set[str]:
    """Return the fields of `Images` that the stack fills."""
    with pytest.MonkeyPatch.context() as here:
        here.setenv("DOCKER_HOST", NO_ENGINE)
        found = images.from_catalogue(stack.policy, stack.faults, preview=True, load=stack.load)
    return {each.name for each in fields(found) if getattr(found, each.name) is not None}
