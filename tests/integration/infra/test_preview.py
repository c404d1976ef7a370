"""`pulumi preview` with the real programs, before there is a cluster, an engine or an image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.service.values import merge
from tidegate.deploy.environment import tool_environment

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]
STACK = "preview-test"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project like this one, with a stack and a state of its own."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("app", "charts", "images", "pyproject.toml", "uv.lock"):
        (folder / name).symlink_to(ROOT / name)
    about = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    about["main"] = "program/"
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(about))
    (folder / "program").mkdir()
    shutil.copy(ROOT / "infra" / "__main__.py", folder / "program" / "__main__.py")
    config = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())
    config["config"]["tidegate:faults"] = {"chaos_mesh": True}  # so that every layer is there
    (folder / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": config["config"]}))
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The kit's own tools, and an engine that is not there."""
    state = tmp_path_factory.mktemp("state")
    engine = {"DOCKER_HOST": f"unix://{state}/none.sock"}
    env = {**os.environ, **tool_environment(engine, cluster=STACK)}
    env.pop("PULUMI_CONFIG_PASSPHRASE_FILE")
    env |= {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": "test"}
    plugin = Path(env["PULUMI_HOME"]) / "plugins" / "resource-kubernetes-v4.25.0"
    missing = [tool for tool in ("pulumi", "helm") if shutil.which(tool, path=env["PATH"]) is None]
    if missing or not plugin.exists():
        what = ", ".join(missing) or "the Kubernetes plugin of Pulumi"
        if os.environ.get("CI") == "true":
            pytest.fail(f"not there: {what}")
        pytest.skip(f"not there: {what}; `tidegate doctor` tells how to get it")
    return env


@pytest.fixture(scope="module")
def preview(project: Path, environment: dict[str, str]) -> dict[str, Any]:
    def pulumi(*words: str) -> subprocess.CompletedProcess[str]:
        cmd = ["pulumi", *words, "--stack", STACK, "--non-interactive"]
        return subprocess.run(cmd, cwd=project, env=environment, capture_output=True, text=True, check=False)

    made = pulumi("stack", "init")
    assert made.returncode == 0, made.stderr
    done = pulumi("preview", "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout)


def test_everything_would_be_created(preview: dict[str, Any]) -> None:
    assert set(preview["changeSummary"]) == {"create"}


def test_every_layer_and_every_kind_is_seen(preview: dict[str, Any]) -> None:
    types = {step["newState"]["type"] for step in preview["steps"]}
    layers = ("Cluster", "Network", "Observability", "Data", "Service", "Faults")
    assert {f"tidegate:infra:{layer}" for layer in layers} <= types
    assert "kubernetes:gateway.networking.k8s.io/v1:Gateway" in types
    assert "kubernetes:autoscaling/v2:HorizontalPodAutoscaler" in types
    assert "pulumi-python:dynamic/cluster:KindCluster" in types


def with_policy(
    project: Path, environment: dict[str, str], change: dict[str, Any], *words: str
) -> subprocess.CompletedProcess[str]:
    """Preview the stack with a policy in which `change` is merged over what is there."""
    path = project / f"Pulumi.{STACK}.yaml"
    text = path.read_text()
    config = yaml.safe_load(text)
    config["config"]["tidegate:policy"] = merge(config["config"]["tidegate:policy"], change)
    path.write_text(yaml.safe_dump(config))
    try:
        cmd = ["pulumi", "preview", "--stack", STACK, "--non-interactive", *words]
        return subprocess.run(cmd, cwd=project, env=environment, capture_output=True, text=True, check=False)
    finally:
        path.write_text(text)


@pytest.mark.usefixtures("preview")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"web": {"hpa": {"max_replicas": 0}}}, "tidegate:policy.web.hpa.max_replicas"),
        ({"web": {"vpa": {"mode": "Recreate", "resources": "cpu"}}}, "known-limitations.md"),
    ],
)
def test_a_wrong_policy_is_one_line(
    project: Path, environment: dict[str, str], change: dict[str, Any], said: str
) -> None:
    done = with_policy(project, environment, change)
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.usefixtures("preview")
def test_everything_that_can_scale_is_previewed_without_a_cluster(
    project: Path, environment: dict[str, str]
) -> None:
    change = {
        "web": {"hpa": {"metric": "rps"}, "vpa": {"mode": "InPlaceOrRecreate"}},
        "worker": {"scale_by": "queue"},
        "node_groups": [{"name": "small"}],
    }
    done = with_policy(project, environment, change, "--json")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    seen = json.loads(done.stdout)
    types = {step["newState"]["type"] for step in seen["steps"]}
    assert {
        "kubernetes:keda.sh/v1alpha1:ScaledObject",
        "kubernetes:apiregistration.k8s.io/v1:APIService",
        "kubernetes:autoscaling.k8s.io/v1:VerticalPodAutoscaler",
        "kubernetes:admissionregistration.k8s.io/v1:MutatingWebhookConfiguration",
        "pulumi-python:dynamic/infra:Certificates",
        "pulumi-python:dynamic/autoscaling:NodeServer",
    } <= types
