"""The whole program, registered against a recording monitor: what there is, what waits, what is secret."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.faults.names import SERVER_NAME
from infra.images import Image, Images
from infra.program import build, export
from infra.rollout import ANNOTATION
from tidegate.errors import TidegateError
from tidegate.models.cluster import ClusterConfig
from tidegate.models.policy import HpaPolicy, NginxPolicy, Policy, WebPolicy
from tidegate.models.slo import Slo
from tidegate.models.stack import StackConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.infra.conftest import Deploy, Deployed

    Build = Callable[..., Deployed]

CHART = Path(__file__).resolve().parents[3] / "charts" / "tidegate-service"

GATEWAY_CHART = {
    "Chart.yaml": "apiVersion: v2\nname: gateway-helm\nversion: v0.0.0-latest\nappVersion: latest\n",
    "values.tmpl.yaml": "image: ${GatewayImage}\npolicy: ${GatewayImagePullPolicy}\n"
    "topologyInjector: {enabled: true}\ncertgen: {job: {ttlSecondsAfterFinished: 30, resources: {}}}\n"
    "deployment: {envoyGateway: {resources: {}}}\n",
    "crds/route.yaml": json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": "httproutes.gateway.networking.k8s.io"},
            "spec": {
                "description": "dropped",
                "properties": {"description": {"type": "string", "description": "dropped"}},
            },
        }
    ),
    "templates/config.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: chart\n"
    "  namespace: {{ .Release.Namespace }}\n"
    '  annotations: {helm.sh/hook: "pre-install, pre-upgrade", kept: "yes"}\n'
    "data: {image: {{ .Values.image }}, version: {{ .Chart.AppVersion }}, "
    'ttl: "{{ .Values.certgen.job.ttlSecondsAfterFinished }}"}\n',
}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small chart that uses what the real one uses of our values."""
    folder = tmp_path_factory.mktemp("gateway")
    for name, text in GATEWAY_CHART.items():
        path = folder / "gateway-helm" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "definitions").mkdir()
    (folder / "definitions" / "podchaos.yaml").write_text(FAULT_DEFINITION)
    return folder


def stack(**web: Any) -> StackConfig:
    slo = Slo.model_validate({"availability_percent": 99.9, "latency": [], "min_requests": 1})
    return StackConfig(policy=Policy(web=WebPolicy(**web)), slo=slo, cluster=ClusterConfig(name="demo"))


@pytest.fixture(scope="module")
def built(deploy: Deploy, images: Images, module: Path, helm: str, definitions: dict[str, Path]) -> Build:
    known: dict[bool, Deployed] = {}

    def run(config: StackConfig | None = None, *, preview: bool = False, **other: Any) -> Deployed:
        ordinary = config is None and not other
        if ordinary and preview in known:
            return known[preview]
        wanted = config or stack()
        chosen = replace(images, **(INJECTORS | other))

        def program() -> None:
            build(
                wanted,
                chosen,
                owner="tidegate/test",
                gateway_charts=module,
                chart=CHART,
                definitions=definitions,
                fault_definitions=module / "definitions",
            )
            export(wanted, chosen)

        made = deploy(program, preview=preview)
        if ordinary:
            known[preview] = made
        return made

    return run


INJECTORS = {
    "chaos_controller_manager": Image("example/chaos-controller-manager:1.0", "sha256:controller"),
    "chaos_daemon": Image("example/chaos-daemon:1.0", "sha256:daemon"),
    "chaos_coredns": Image("example/chaos-coredns:1.0", "sha256:names"),
}
FAULT_DEFINITION = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: podchaos.chaos-mesh.org}
spec: {}
"""
KEY_PAIRS = {"chaos-daemon", "chaos-daemon-client", "chaos-webhook"}
DEFINITION = "CustomResourceDefinition/httproutes.gateway.networking.k8s.io"

LAYERS = {"Cluster", "Network", "Observability", "Data", "Service", "Faults"}


def test_a_stack_that_asks_for_no_faults_has_none(built: Build) -> None:
    made = built(chaos_daemon=None, chaos_controller_manager=None, chaos_coredns=None)
    assert not [each for each in made.resources if "chaos" in each.name]


def test_one_component_a_layer(built: Build) -> None:
    made = built()
    components = [each.type.rpartition(":")[2] for each in made.resources if not each.custom]
    assert len(components) == len(LAYERS)
    assert set(components) == LAYERS


def test_every_object_of_the_platform_is_a_resource_of_its_own(built: Build) -> None:
    names = {each.name for each in built().objects()}
    expected = {
        "DaemonSet/kube-system/flannel",
        "DaemonSet/kube-system/kube-router",
        "Gateway/envoy-gateway-system/edge",
        "Deployment/kube-system/metrics-server",
        "Deployment/observability/prometheus",
        "Deployment/observability/kube-state-metrics",
        "StatefulSet/data/postgres",
        "StatefulSet/data/redis",
        "Deployment/tidegate/tidegate-web",
        "HorizontalPodAutoscaler/tidegate/tidegate-web",
    }
    assert expected <= names


def test_a_preview_before_there_is_a_cluster_sees_the_same_objects(built: Build) -> None:
    before, after = built(preview=True), built()
    assert {each.urn for each in before.resources} == {each.urn for each in after.resources}


def test_names_are_unique_and_explicit(built: Build) -> None:
    made = built()
    assert len({each.urn for each in made.resources}) == len(made.resources)
    assert all(each.inputs["metadata"]["name"] for each in made.objects())


def test_every_object_goes_through_the_clusters_own_provider_and_with_the_cluster(built: Build) -> None:
    made = built()
    (provider,) = made.of_type("pulumi:providers:kubernetes")
    (cluster,) = made.of_type("KindCluster")
    assert all(each.provider.startswith(provider.urn) for each in made.objects())
    assert {each.deleted_with for each in made.objects()} == {cluster.urn}


def test_a_cluster_made_again_is_another_one_to_the_provider(built: Build) -> None:
    (provider,) = built().of_type("pulumi:providers:kubernetes")
    assert provider.inputs["clusterIdentifier"] == "token"
    assert provider.inputs["context"] == "kind-demo"


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        ("cluster-images", "cluster-kind"),
        ("DaemonSet/kube-system/flannel", "cluster-node-agents"),
        ("StatefulSet/data/postgres", "cluster-images"),
        ("Deployment/kube-system/metrics-server", "cluster-images"),
        ("Gateway/envoy-gateway-system/edge", "cluster-images"),
        ("Namespace/envoy-gateway-system", "DaemonSet/kube-system/kube-router"),
        ("Deployment/kube-system/metrics-server", "DaemonSet/kube-system/flannel"),
        ("StatefulSet/data/postgres", "DaemonSet/kube-system/flannel"),
        ("StatefulSet/data/postgres", "NetworkPolicy/data/default-deny"),
        ("HTTPRoute/tidegate/tidegate-web", "Gateway/envoy-gateway-system/edge"),
        (
            "Gateway/envoy-gateway-system/edge",
            DEFINITION,
        ),
        ("Deployment/tidegate/tidegate-web", "StatefulSet/data/postgres"),
        ("Deployment/tidegate/tidegate-web", "Secret/tidegate/tidegate-database"),
        ("HorizontalPodAutoscaler/tidegate/tidegate-web", "Deployment/tidegate/tidegate-web"),
        ("answers", "Deployment/tidegate/tidegate-web"),
        ("answers", "HTTPRoute/tidegate/tidegate-web"),
    ],
)
def test_order(built: Build, later: str, earlier: str) -> None:
    assert built().waits_for(later, earlier)


def test_migrations_end_before_pods_start(built: Build) -> None:
    made = built()
    (job,) = [each.name for each in made.of_type("batch/v1:Job") if "migrate" in each.name]
    assert made.waits_for(job, "StatefulSet/data/postgres")
    assert made.waits_for("Deployment/tidegate/tidegate-web", job)
    assert made.waits_for("Deployment/tidegate/tidegate-worker", job)


def test_the_pod_network_starts_while_images_are_on_their_way(built: Build) -> None:
    assert not built().waits_for("DaemonSet/kube-system/flannel", "cluster-images")


def test_observability_does_not_hold_the_service_up(built: Build) -> None:
    made = built()
    assert not made.waits_for("Deployment/tidegate/tidegate-web", "Deployment/observability/prometheus")
    assert not made.waits_for("APIService/v1beta1.metrics.k8s.io", "Deployment/observability/prometheus")


def test_passwords_and_the_kubeconfig_are_secret(built: Build) -> None:
    made = built()
    assert {"kubeconfig"} <= made.named("cluster-kind").secret_outputs
    passwords = made.of_type("RandomPassword")
    assert len(passwords) == 5
    assert all(each.secret_outputs == {"value"} for each in passwords)


def test_no_password_is_outside_a_secret(built: Build) -> None:
    made = built()
    for each in made.objects():
        text = json.dumps(each.inputs)
        assert "Password" not in text or each.type == "kubernetes:core/v1:Secret", each.name
    holding = [each for each in made.of_type("core/v1:Secret") if "Password" in json.dumps(each.inputs)]
    assert len(holding) == len(made.of_type("core/v1:Secret")) - len(KEY_PAIRS)


def test_private_keys_of_the_injector_are_secret(built: Build) -> None:
    made = built()
    assert made.named("faults-certificates").inputs["names"] == [SERVER_NAME]
    assert made.named("faults-certificates").secret_outputs >= {"key", "client_key"}
    held = {each.inputs["metadata"]["name"] for each in made.of_type("core/v1:Secret")}
    assert held >= KEY_PAIRS


def test_each_database_has_a_password_of_its_own(built: Build) -> None:
    made = built()
    data = made.named("Secret/data/postgres").inputs["stringData"]
    url = made.named("Secret/tidegate/tidegate-database").inputs["stringData"]["url"]
    assert data["password"] != data["superuser"]
    assert (
        url
        == f"postgresql+asyncpg://tidegate:{data['password']}@postgres.data.svc.cluster.local:5432/tidegate"
    )
    redis = made.named("Secret/data/redis").inputs["stringData"]
    assert f"requirepass {redis['password']}\n" in redis["redis.conf"]
    assert made.named("Secret/tidegate/tidegate-redis").inputs["stringData"]["url"] == (
        f"redis://:{redis['password']}@redis.data.svc.cluster.local:6379/0"
    )


def test_the_key_of_tokens_and_the_demo_password_are_drawn_for_the_stack(built: Build) -> None:
    made = built()
    keys = made.named("Secret/tidegate/tidegate-auth").inputs["stringData"]
    demo = made.named("Secret/tidegate/tidegate-demo").inputs["stringData"]
    assert keys == {"keys": "k1:Passwordservice-auth-key"}
    assert demo == {"password": "Passwordservice-demo"}
    assert made.waits_for("Deployment/tidegate/tidegate-web", "Secret/tidegate/tidegate-auth")
    (job,) = [each.name for each in made.of_type("batch/v1:Job") if "migrate" in each.name]
    assert made.waits_for(job, "Secret/tidegate/tidegate-demo")


def test_images_are_those_given(built: Build, images: Images) -> None:
    made = built()
    everywhere, workers = made.named("cluster-node-agents").inputs, made.named("cluster-images").inputs
    assert (everywhere["nodes"], workers["nodes"]) == (["a", "b"], ["b"])
    on_nodes = everywhere["images"] | workers["images"]
    assert images.node.reference not in on_nodes
    used = {
        container["image"]
        for each in made.objects()
        for container in each.inputs.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())
    }
    # The gateway's own two are named in settings that its controller reads.
    assert used | {images.envoy.reference, images.envoy_gateway.reference} == set(on_nodes)


def templates(made: Deployed) -> dict[str, dict[str, Any]]:
    """The pod templates of all workloads, by the resource's name."""
    return {
        each.name: each.inputs["spec"]["template"]
        for each in made.objects()
        if each.type.rpartition(":")[2] in ("Deployment", "StatefulSet", "DaemonSet")
    }


def rollouts(made: Deployed) -> dict[str, str]:
    """What every pod template says of its images, the gateway's own among them."""
    found = {name: each["metadata"]["annotations"][ANNOTATION] for name, each in templates(made).items()}
    (proxy,) = [each for each in made.objects() if each.type.endswith(":EnvoyProxy")]
    pod = proxy.inputs["spec"]["provider"]["kubernetes"]["envoyDeployment"]["pod"]
    assert "topologySpreadConstraints" in pod
    return found | {"gateway": pod["annotations"][ANNOTATION]}


def test_pods_roll_out_when_an_image_of_theirs_changed_under_its_tag(built: Build, images: Images) -> None:
    before = rollouts(built())
    after = rollouts(
        built(redis=replace(images.redis, id="sha256:2"), envoy=replace(images.envoy, id="sha256:3"))
    )
    assert {name for name in before if before[name] != after[name]} == {"StatefulSet/data/redis", "gateway"}
    assert len(before) > len(LAYERS)


def test_a_job_is_not_done_again_for_an_image(built: Build) -> None:
    jobs = built().of_type("batch/v1:Job")
    assert jobs
    assert ANNOTATION not in str([each.inputs for each in jobs])


def test_a_policy_that_asks_for_nginx_gets_its_image_and_its_container(built: Build) -> None:
    image = Image("example/nginx:1.0", "sha256:nginx")
    made = built(stack(nginx=NginxPolicy(enabled=True)), nginx=image)
    assert made.named("cluster-images").inputs["images"]["example/nginx:1.0"] == "sha256:nginx"
    pod = made.named("Deployment/tidegate/tidegate-web").inputs["spec"]["template"]["spec"]
    assert [each["image"] for each in pod["containers"]] == ["example/service:1.0", "example/nginx:1.0"]


def test_the_policy_reaches_the_objects(built: Build) -> None:
    made = built(stack(hpa=HpaPolicy(min_replicas=3, max_replicas=9, cpu_target_percent=45)))
    spec = made.named("HorizontalPodAutoscaler/tidegate/tidegate-web").inputs["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 9)
    target = spec["metrics"][0]["containerResource"]["target"]
    assert target == {"type": "Utilization", "averageUtilization": 45}


def test_more_pods_than_the_database_takes_are_refused(built: Build) -> None:
    with pytest.raises(TidegateError, match="connections PostgreSQL takes"):
        built(stack(hpa=HpaPolicy(max_replicas=200)))


def test_a_rule_broken_by_an_image_stops_the_program(built: Build, images: Images) -> None:
    latest = replace(images.prometheus, reference="prom/prometheus:latest")
    with pytest.raises(TidegateError, match="image-tag: Deployment observability/prometheus"):
        built(prometheus=latest)


class TestGatewayChart:
    def config(self, built: Build) -> dict[str, Any]:
        return built().named("ConfigMap/envoy-gateway-system/chart").inputs

    def test_the_release_template_is_filled_in(self, built: Build, images: Images) -> None:
        data = self.config(built)["data"]
        assert data["image"] == images.envoy_gateway.reference
        assert data["version"] == "v1.9.1"

    def test_its_job_does_not_delete_itself(self, built: Build) -> None:
        assert self.config(built)["data"]["ttl"] == ""

    def test_hooks_become_ordinary_objects(self, built: Build) -> None:
        assert self.config(built)["metadata"]["annotations"] == {"kept": "yes"}

    def test_definitions_lose_their_descriptions_and_nothing_else(self, built: Build) -> None:
        spec = built().named(DEFINITION).inputs["spec"]
        assert spec == {"properties": {"description": {"type": "string"}}}

    def test_a_module_without_the_chart_is_named(
        self, deploy: Deploy, images: Images, tmp_path: Path
    ) -> None:
        def program() -> None:
            build(stack(), images, owner="o", gateway_charts=tmp_path, chart=CHART, definitions={})

        with pytest.raises(TidegateError, match="chart was not found"):
            deploy(program)


def test_the_gateway_is_waited_for(built: Build) -> None:
    metadata = built().named("Gateway/envoy-gateway-system/edge").inputs["metadata"]
    assert metadata["annotations"] == {"pulumi.com/waitFor": "condition=Programmed"}


def test_exports(deploy: Deploy, images: Images) -> None:
    found: dict[str, Any] = {}

    def program() -> None:
        export(stack(), images)
        found.update(pulumi.runtime.get_root_resource().outputs)  # pyright: ignore

    deploy(program)
    assert set(found) == {"gateway_url", "cluster", "context", "kubeconfig_path", "service_image"}
    assert found["gateway_url"] == "http://127.0.0.1:8080"


def test_node_groups_bring_the_autoscaler_its_server_and_its_image(built: Build) -> None:
    growing = Policy.model_validate({"node_groups": [{"name": "small"}]})
    image = Image("example/cluster-autoscaler:1.0", "sha256:scaler")
    made = built(stack().model_copy(update={"policy": growing}), cluster_autoscaler=image)
    assert {each.type.rpartition(":")[2] for each in made.resources if not each.custom} == {
        *LAYERS,
        "Autoscaling",
    }
    assert image.reference in made.named("cluster-images").inputs["images"]
    (server,) = made.of_type("NodeServer")
    assert server.inputs["cluster_id"] == "token"
    assert made.waits_for(server.name, "cluster-kind")


def test_room_for_load_generators_is_made_only_where_their_image_is(built: Build) -> None:
    assert not [each for each in built().resources if "/load" in each.name]
    image = Image("example/load:1.0", "sha256:load")
    made = built(load=image)
    assert image.reference in made.named("cluster-images").inputs["images"]
    assert made.waits_for("NetworkPolicy/load/worker", "Namespace/load")
    assert made.waits_for("ResourceQuota/load/generators", "Namespace/load")
    assert made.waits_for("Namespace/load", "cluster-images")


EVERYTHING = Policy.model_validate(
    {
        "web": {"hpa": {"metric": "rps"}, "vpa": {"mode": "InPlaceOrRecreate"}},
        "worker": {"scale_by": "queue", "vpa": {"mode": "Off"}},
        "node_groups": [{"name": "small"}],
    }
)
WEB, WORKER = "ScaledObject/tidegate/tidegate-web", "ScaledObject/tidegate/tidegate-worker"


@pytest.fixture(scope="module")
def everything(built: Build, options: dict[str, Image]) -> Deployed:
    return built(stack().model_copy(update={"policy": EVERYTHING}), **options)


@pytest.mark.parametrize(
    ("later", "earlier"),
    [
        (WEB, "CustomResourceDefinition/scaledobjects.keda.sh"),
        (WORKER, "Deployment/keda/keda-operator"),
        (WORKER, "Deployment/keda/keda-metrics-apiserver"),
        (WORKER, "APIService/v1beta1.external.metrics.k8s.io"),
        (WORKER, "Deployment/tidegate/tidegate-worker"),
        ("Deployment/keda/keda-operator", "CustomResourceDefinition/scaledobjects.keda.sh"),
        ("Deployment/keda/keda-operator", "RoleBinding/tidegate/keda-operator"),
        ("Deployment/keda/keda-operator", "autoscaling-keda"),
        ("Deployment/keda/keda-operator", "cluster-images"),
        ("RoleBinding/tidegate/keda-operator", "Namespace/tidegate"),
        ("NetworkPolicy/observability/prometheus-from-keda", "Namespace/observability"),
        (
            "VerticalPodAutoscaler/tidegate/tidegate-web",
            "CustomResourceDefinition/verticalpodautoscalers.autoscaling.k8s.io",
        ),
        ("VerticalPodAutoscaler/tidegate/tidegate-worker", "Deployment/vpa/vpa-recommender"),
        ("MutatingWebhookConfiguration/tidegate-vpa", "Deployment/vpa/vpa-admission-controller"),
        ("Deployment/vpa/vpa-admission-controller", "autoscaling-vpa"),
        ("Deployment/vpa/vpa-recommender", "RoleBinding/tidegate/vpa-recommender"),
    ],
)
def test_controllers_come_between_the_namespace_and_what_they_control(
    everything: Deployed, later: str, earlier: str
) -> None:
    assert everything.waits_for(later, earlier)


def test_the_service_does_not_wait_for_nodes_or_prometheus(everything: Deployed) -> None:
    web = "Deployment/tidegate/tidegate-web"
    assert not everything.waits_for(web, "autoscaling-node-server")
    assert not everything.waits_for(web, "Deployment/cluster-autoscaler/cluster-autoscaler")
    assert not everything.waits_for(web, "Deployment/observability/prometheus")


def test_a_preview_of_everything_sees_the_same_objects(
    built: Build, everything: Deployed, options: dict[str, Image]
) -> None:
    before = built(stack().model_copy(update={"policy": EVERYTHING}), preview=True, **options)
    assert {each.urn for each in before.resources} == {each.urn for each in everything.resources}


def test_no_private_key_is_outside_a_secret(everything: Deployed) -> None:
    for each in everything.objects():
        text = json.dumps(each.inputs)
        if "secret key" in text or "secret client key" in text:
            assert each.type == "kubernetes:core/v1:Secret", each.name
    for each in everything.of_type("Certificates"):
        assert {"key", "client_key"} <= each.secret_outputs


def test_an_image_that_was_not_looked_up_is_named(built: Build) -> None:
    wanted = stack().model_copy(update={"policy": Policy.model_validate({"worker": {"scale_by": "queue"}})})
    with pytest.raises(TidegateError, match="needs the image keda"):
        built(wanted)
