from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml

from infra.manifests import Manifest
from infra.policy import check
from infra.policy.shape import section
from tidegate.models.policy import HpaPolicy, Policy, WebPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.charts.conftest import Render

    Refused = Callable[[list[str]], str]

CHART = Path(__file__).resolve().parents[3] / "charts" / "tidegate-service"


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pod(objects: list[Manifest], kind: str, name: str) -> dict[str, Any]:
    return one(objects, kind, name)["spec"]["template"]["spec"]


def job(objects: list[Manifest]) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == "Job"]
    return found


def test_what_it_consists_of(render: Render) -> None:
    names = sorted((each["kind"], each["metadata"]["name"]) for each in render())
    names = [(kind, "tidegate-migrate-*" if kind == "Job" else name) for kind, name in names]
    assert names == [
        ("BackendTrafficPolicy", "tidegate-web"),
        ("BackendTrafficPolicy", "tidegate-web-get"),
        ("BackendTrafficPolicy", "tidegate-web-streams"),
        ("Deployment", "tidegate-web"),
        ("Deployment", "tidegate-worker"),
        ("HTTPRoute", "tidegate-web"),
        ("HTTPRoute", "tidegate-web-get"),
        ("HTTPRoute", "tidegate-web-streams"),
        ("HorizontalPodAutoscaler", "tidegate-web"),
        ("Job", "tidegate-migrate-*"),
        ("NetworkPolicy", "tidegate-default-deny"),
        ("NetworkPolicy", "tidegate-migrate"),
        ("NetworkPolicy", "tidegate-web"),
        ("NetworkPolicy", "tidegate-worker"),
        ("PodDisruptionBudget", "tidegate-web"),
        ("Service", "tidegate-web"),
        ("ServiceAccount", "tidegate-migrate"),
        ("ServiceAccount", "tidegate-web"),
        ("ServiceAccount", "tidegate-worker"),
    ]


def test_it_keeps_every_rule(render: Render) -> None:
    assert check(render()) == []


def test_a_policy_renders_and_keeps_every_rule(render: Render) -> None:
    policy = Policy(web=WebPolicy(hpa=HpaPolicy(min_replicas=1, tolerance_up=0.05), cpu_limit_m=None))
    objects = render(policy.chart_values())
    assert check(objects) == []
    behavior = one(objects, "HorizontalPodAutoscaler", "tidegate-web")["spec"]["behavior"]
    assert behavior["scaleUp"]["tolerance"] == "0.05"
    assert "tolerance" not in behavior["scaleDown"]
    limits = pod(objects, "Deployment", "tidegate-web")["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "256Mi"}


def test_the_autoscaler_looks_at_the_container_that_serves(render: Render) -> None:
    spec = one(render(), "HorizontalPodAutoscaler", "tidegate-web")["spec"]
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "tidegate-web"}
    (metric,) = spec["metrics"]
    assert metric == {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": "web",
            "target": {"type": "Utilization", "averageUtilization": 60},
        },
    }
    assert spec["behavior"]["scaleUp"]["policies"] == [
        {"type": "Percent", "value": 100, "periodSeconds": 15},
        {"type": "Pods", "value": 4, "periodSeconds": 15},
    ]


def test_a_rollout_never_takes_capacity_away(render: Render) -> None:
    spec = one(render(), "Deployment", "tidegate-web")["spec"]
    assert "replicas" not in spec
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": 0}


def test_a_web_pod_leaves_in_order(render: Render) -> None:
    spec = pod(
        render({"web": {"preStopSeconds": 7, "gracefulTimeoutSeconds": 11}}), "Deployment", "tidegate-web"
    )
    (container,) = spec["containers"]
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 7}}}
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert env["TIDEGATE_GRACEFUL_TIMEOUT_S"] == "11"
    assert spec["terminationGracePeriodSeconds"] >= 7 + 11 + 5


def test_no_pre_stop_hook_when_there_is_nothing_to_wait_for(render: Render) -> None:
    spec = pod(render({"web": {"preStopSeconds": 0}}), "Deployment", "tidegate-web")
    assert "lifecycle" not in spec["containers"][0]


def test_readiness_is_asked_early_and_liveness_late(render: Render) -> None:
    (container,) = pod(render(), "Deployment", "tidegate-web")["containers"]
    start = container["startupProbe"]
    assert start["httpGet"] == {"path": "/startupz", "port": "http"}
    # Longer than the service itself waits for its database there (15 s).
    assert (start["periodSeconds"], start["timeoutSeconds"]) == (1, 20)
    assert section(container, "readinessProbe", "httpGet")["path"] == "/readyz"
    assert section(container, "livenessProbe", "httpGet")["path"] == "/healthz"
    live, ready = container["livenessProbe"], container["readinessProbe"]
    assert (
        live["periodSeconds"] * live["failureThreshold"] > ready["periodSeconds"] * ready["failureThreshold"]
    )


def test_the_worker_is_probed_at_its_own_port(render: Render) -> None:
    (container,) = pod(render(), "Deployment", "tidegate-worker")["containers"]
    assert container["ports"] == [{"name": "metrics", "containerPort": 9191}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "metrics"}


def test_secrets_are_only_referred_to(render: Render) -> None:
    text = json.dumps(render())
    assert "postgresql" not in text
    for kind, name in (("Deployment", "tidegate-web"), ("Deployment", "tidegate-worker")):
        env = {item["name"]: item for item in pod(render(), kind, name)["containers"][0]["env"]}
        assert env["TIDEGATE_DATABASE_URL"]["valueFrom"]["secretKeyRef"] == {
            "name": "tidegate-database",
            "key": "url",
        }
        assert env["TIDEGATE_REDIS_URL"]["valueFrom"]["secretKeyRef"]["name"] == "tidegate-redis"


def test_the_server_is_a_value(render: Render) -> None:
    objects = render({"web": {"server": "gunicorn", "serverWorkers": 2}})
    (container,) = pod(objects, "Deployment", "tidegate-web")["containers"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert (env["TIDEGATE_SERVER"], env["TIDEGATE_SERVER_WORKERS"]) == ("gunicorn", "2")


def test_operators_routes_are_closed_unless_a_secret_is_named(render: Render) -> None:
    for values, opened in (({}, False), ({"operators": {"existingSecret": "ops"}}, True)):
        (container,) = pod(render(values), "Deployment", "tidegate-web")["containers"]
        tokens = [item for item in container["env"] if item["name"] == "TIDEGATE_OPERATOR_TOKEN"]
        assert bool(tokens) is opened
        assert all(item["valueFrom"]["secretKeyRef"] == {"name": "ops", "key": "token"} for item in tokens)


def test_limits_and_proxies_reach_the_web_pods(render: Render) -> None:
    web = {"rateLimits": {"writes": "7/10second"}, "trustedProxies": ["10.244.0.0/16", "fd00::/8"]}
    objects = render({"web": web, "hpa": {"minReplicas": 3}})
    (container,) = pod(objects, "Deployment", "tidegate-web")["containers"]
    env = {item["name"]: item.get("value") for item in container["env"]}
    assert env["TIDEGATE_LIMIT_WRITES"] == "7/10second"
    assert env["TIDEGATE_LIMIT_READS"] == "12000/minute"
    assert env["TIDEGATE_LIMIT_SHARE"] == "3"
    assert env["TIDEGATE_TRUSTED_PROXIES"] == "10.244.0.0/16,fd00::/8"


def test_only_the_web_pods_sign_tokens_and_only_the_migration_knows_the_demo_password(render: Render) -> None:
    def names(spec: dict[str, Any]) -> set[str]:
        return {item["name"] for item in spec["containers"][0]["env"]}

    for values, demo in (({}, False), ({"demo": {"existingSecret": "tidegate-demo"}}, True)):
        objects = render(values)
        web, worker = (pod(objects, "Deployment", f"tidegate-{name}") for name in ("web", "worker"))
        migrate = job(objects)["spec"]["template"]["spec"]
        assert "TIDEGATE_AUTH_KEYS" in names(web)
        assert "TIDEGATE_AUTH_KEYS" not in names(worker) | names(migrate)
        assert ("TIDEGATE_DEMO_PASSWORD" in names(migrate)) is demo
        assert "TIDEGATE_DEMO_PASSWORD" not in names(worker) | names(web)


@pytest.mark.parametrize(
    "values",
    [
        {"image": {"tag": "other"}},
        {"demo": {"existingSecret": "demo"}},
        {"migrate": {"deadlineSeconds": 60}},
        {"database": {"existingSecret": "elsewhere"}},
        {"environment": "development"},
    ],
)
def test_another_migration_is_another_job(render: Render, values: dict[str, Any]) -> None:
    assert job(render())["metadata"]["name"] != job(render(values))["metadata"]["name"]


def test_what_does_not_concern_the_migration_leaves_its_job_alone(render: Render) -> None:
    other = render({"hpa": {"maxReplicas": 30}, "web": {"fraudWeight": 1}, "worker": {"replicas": 3}})
    assert job(render()) == job(other)


def test_the_migration_needs_no_queue(render: Render) -> None:
    spec = job(render())["spec"]["template"]["spec"]
    names = {item["name"] for item in spec["containers"][0]["env"]}
    assert "TIDEGATE_DATABASE_URL" in names
    assert "TIDEGATE_REDIS_URL" not in names


def test_a_long_tag_still_makes_a_valid_label(render: Render) -> None:
    objects = render({"image": {"tag": "a" * 64}})
    for each in objects:
        version = section(each, "metadata", "labels").get("app.kubernetes.io/version", "")
        assert len(version) <= 63


def test_pods_of_one_rollout_are_spread(render: Render) -> None:
    (spread,) = pod(render(), "Deployment", "tidegate-web")["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert spread["matchLabelKeys"] == ["pod-template-hash"]


TRACED = {"tracing": {"endpoint": "http://collector.observability:4318", "sampleRatio": 0.25}}


def test_no_pod_hears_of_tracing_unless_there_is_an_endpoint(render: Render) -> None:
    assert "OTLP" not in json.dumps(render())
    objects = render(TRACED)
    for name in ("web", "worker"):
        (container,) = pod(objects, "Deployment", f"tidegate-{name}")["containers"]
        env = {item["name"]: item.get("value") for item in container["env"]}
        assert env["TIDEGATE_OTLP_ENDPOINT"] == "http://collector.observability:4318"
        assert env["OTEL_TRACES_SAMPLER"] == "parentbased_traceidratio"
        assert env["OTEL_TRACES_SAMPLER_ARG"] == "0.25"
    assert "OTLP" not in json.dumps(job(objects))


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ("http://collector:4318", 4318),
        ("http://collector", 80),
        ("https://traces.example/otlp", 443),
        ("https://traces.example:8443/otlp", 8443),
    ],
)
def test_traces_may_leave_for_the_collector_and_for_nowhere_else(
    render: Render, endpoint: str, port: int
) -> None:
    ports = [{"protocol": "TCP", "port": port}]
    anywhere = render({"tracing": {"endpoint": endpoint}})
    inside = render({"tracing": {"endpoint": endpoint, "collectorNamespace": "tracing"}})
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tracing"}}}
    for name in ("tidegate-web", "tidegate-worker"):
        assert one(anywhere, "NetworkPolicy", name)["spec"]["egress"][-1] == {"ports": ports}
        assert one(inside, "NetworkPolicy", name)["spec"]["egress"][-1] == {"ports": ports, "to": [peer]}
    assert len(one(inside, "NetworkPolicy", "tidegate-migrate")["spec"]["egress"]) == 2
    assert check(inside) == []


def test_dashboards_are_for_grafanas_sidecar_to_find(render: Render) -> None:
    assert "ConfigMap" not in {each["kind"] for each in render()}
    labels = {"grafana_dashboard": "1", "team": "shop"}
    objects = render({"dashboards": {"enabled": True, "labels": {"team": "shop"}}})
    found = one(objects, "ConfigMap", "tidegate-dashboards")
    assert labels.items() <= found["metadata"]["labels"].items()
    files = {path.name: path.read_text() for path in (CHART / "dashboards").glob("*.json")}
    assert {name: json.loads(text) for name, text in found["data"].items()} == {
        name: json.loads(text) for name, text in files.items()
    }
    assert check(objects) == []


class TestNetworkPolicies:
    def test_everything_is_denied_that_is_not_allowed(self, render: Render) -> None:
        deny = one(render(), "NetworkPolicy", "tidegate-default-deny")["spec"]
        assert deny == {
            "podSelector": {
                "matchLabels": {
                    "app.kubernetes.io/name": "tidegate",
                    "app.kubernetes.io/instance": "tidegate",
                }
            },
            "policyTypes": ["Ingress", "Egress"],
        }

    def allowed_in(self, render: Render, name: str) -> list[tuple[list[str], list[int]]]:
        spec = one(render(), "NetworkPolicy", name)["spec"]
        return [
            (
                sorted(
                    section(peer, "namespaceSelector", "matchLabels")["kubernetes.io/metadata.name"]
                    for peer in rule["from"]
                ),
                [port["port"] for port in rule["ports"]],
            )
            for rule in spec.get("ingress", [])
        ]

    def allowed_out(self, render: Render, name: str) -> dict[str, list[int]]:
        spec = one(render(), "NetworkPolicy", name)["spec"]
        return {
            section(rule["to"][0], "namespaceSelector", "matchLabels")["kubernetes.io/metadata.name"]: [
                port["port"] for port in rule["ports"]
            ]
            for rule in spec["egress"]
        }

    def test_gateway_and_prometheus_reach_the_web_pods(self, render: Render) -> None:
        assert self.allowed_in(render, "tidegate-web") == [
            (["envoy-gateway-system", "observability"], [8000])
        ]

    def test_only_prometheus_reaches_the_worker(self, render: Render) -> None:
        assert self.allowed_in(render, "tidegate-worker") == [(["observability"], [9191])]

    def test_nobody_reaches_the_migration(self, render: Render) -> None:
        assert self.allowed_in(render, "tidegate-migrate") == []

    @pytest.mark.parametrize(
        ("name", "data"),
        [("tidegate-web", [5432, 6379]), ("tidegate-worker", [5432, 6379]), ("tidegate-migrate", [5432])],
    )
    def test_out_to_names_and_data_only(self, render: Render, name: str, data: list[int]) -> None:
        assert self.allowed_out(render, name) == {"kube-system": [53, 53], "data": data}


class TestRoutes:
    def test_both_routes_attach_to_the_gateway_and_lead_to_the_service(self, render: Render) -> None:
        for name in ("tidegate-web", "tidegate-web-get"):
            spec = one(render(), "HTTPRoute", name)["spec"]
            assert spec["parentRefs"] == [{"name": "edge", "namespace": "envoy-gateway-system"}]
            assert "hostnames" not in spec
            (rule,) = spec["rules"]
            assert rule["backendRefs"] == [{"name": "tidegate-web", "port": 80}]
            assert rule["timeouts"] == {"request": "15s"}

    def test_only_the_api_is_reachable(self, render: Render) -> None:
        matches = one(render(), "HTTPRoute", "tidegate-web")["spec"]["rules"][0]["matches"]
        assert matches == [{"path": {"type": "PathPrefix", "value": "/api"}}]
        matches = one(render(), "HTTPRoute", "tidegate-web-get")["spec"]["rules"][0]["matches"]
        assert matches == [{"path": {"type": "PathPrefix", "value": "/api"}, "method": "GET"}]

    def test_streams_have_a_route_with_a_longer_limit(self, render: Render) -> None:
        (rule,) = one(render(), "HTTPRoute", "tidegate-web-streams")["spec"]["rules"]
        assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/api/v2/streams"}}]
        assert rule["timeouts"] == {"request": "360s"}

    def retry(self, render: Render, name: str) -> dict[str, Any]:
        return one(render(), "BackendTrafficPolicy", name)["spec"]["retry"]["retryOn"]

    def test_what_may_have_been_done_is_not_done_again(self, render: Render) -> None:
        triggers = self.retry(render, "tidegate-web")["triggers"]
        assert set(triggers) <= {"connect-failure", "reset-before-request"}
        assert "reset" in self.retry(render, "tidegate-web-get")["triggers"]

    def test_each_route_has_one_policy_of_its_own(self, render: Render) -> None:
        for name in ("tidegate-web", "tidegate-web-get"):
            (target,) = one(render(), "BackendTrafficPolicy", name)["spec"]["targetRefs"]
            assert (target["kind"], target["name"]) == ("HTTPRoute", name)

    def test_retries_have_a_budget(self, render: Render) -> None:
        for name in ("tidegate-web", "tidegate-web-get"):
            breaker = one(render(), "BackendTrafficPolicy", name)["spec"]["circuitBreaker"]
            assert breaker["retryBudget"]["percent"] == {"numerator": 20}

    def test_a_few_pods_that_come_at_once_are_too_few_to_lose_a_request(self, render: Render) -> None:
        for name in ("tidegate-web", "tidegate-web-get"):
            policy = one(render(), "BackendTrafficPolicy", name)["spec"]
            assert policy["retry"]["numRetries"] >= 3
            assert policy["circuitBreaker"]["retryBudget"]["minRetryConcurrency"] >= 10

    def test_hostnames(self, render: Render) -> None:
        objects = render({"gateway": {"hostnames": ["shop.example"]}})
        assert one(objects, "HTTPRoute", "tidegate-web")["spec"]["hostnames"] == ["shop.example"]

    def test_without_a_gateway_there_is_no_route_and_nobody_else_gets_in(self, render: Render) -> None:
        objects = render({"gateway": {"enabled": False}})
        assert {each["kind"] for each in objects}.isdisjoint({"HTTPRoute", "BackendTrafficPolicy"})
        (rule,) = one(objects, "NetworkPolicy", "tidegate-web")["spec"]["ingress"]
        assert len(rule["from"]) == 1

    def test_another_gateway_implementation(self, render: Render) -> None:
        kinds = {each["kind"] for each in render({"gateway": {"trafficPolicy": False}})}
        assert "HTTPRoute" in kinds
        assert "BackendTrafficPolicy" not in kinds


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["web.replicas=3"], "replicas"),
        (["image.tag=latest"], "tag"),
        (["unknown=1"], "unknown"),
        (["hpa.cpuTargetPercent=0"], "cpuTargetPercent"),
        (["hpa.behavior.scaleUp.selectPolicy=Most"], "selectPolicy"),
        (["hpa.behavior.scaleDown.stabilizationWindowSeconds=3601"], "stabilizationWindowSeconds"),
        (["web.resources.requests.cpu=lots"], "cpu"),
        (["web.resources.limits.memory=null"], "memory"),
        (["environment=test"], "environment"),
        (["web.rateLimits.writes=lots"], "writes"),
        (["web.server=apache"], "server"),
        (["web.serverWorkers=2"], "needs web.server to be gunicorn"),
        (["web.trustedProxies={everyone}"], "trustedProxies"),
        (["gateway.pathPrefixes={api}"], "pathPrefixes"),
        (["tracing.endpoint=collector:4318"], "endpoint"),
        (["tracing.sampleRatio=2"], "sampleRatio"),
        (["web.terminationGracePeriodSeconds=29"], "at least 30"),
        (["hpa.minReplicas=5", "hpa.maxReplicas=4"], "maxReplicas is below"),
    ],
)
def test_wrong_values_are_refused_by_name(refused: Refused, words: list[str], reason: str) -> None:
    assert reason in refused(words)


def open_objects(node: object, path: str = "") -> list[str]:
    """Return where a schema describes an object's keys and does not refuse others."""
    if isinstance(node, list):
        return [found for item in cast("list[object]", node) for found in open_objects(item, f"{path}[]")]
    if not isinstance(node, dict):
        return []
    schema = cast("dict[str, object]", node)
    found = [path] if "properties" in schema and schema.get("additionalProperties") is not False else []
    for key, value in schema.items():
        found += open_objects(value, f"{path}.{key}")
    return found


def test_every_object_in_the_schema_is_closed() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert open_objects(schema) == []
    assert open_objects({"properties": {"a": {"properties": {}}}}) == ["", ".properties.a"]


def test_every_value_has_a_place_in_the_schema() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert set(values) == set(schema["properties"]) - {"global"}
