"""NGINX in front, by `web.nginx.enabled`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from app.core.settings import Settings
from app.servers.protocol import HEAD_TIMEOUT_S, MAX_HEAD_BYTES
from infra.manifests import Manifest
from infra.network.edge import edge_traffic
from infra.policy import check

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.charts.conftest import Render

    Refused = Callable[[list[str]], str]

ENABLED = {"web": {"nginx": {"enabled": True}}}


def _one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def _containers(objects: list[Manifest]) -> dict[str, dict[str, Any]]:
    spec = _one(objects, "Deployment", "tidegate-web")["spec"]["template"]["spec"]
    return {each["name"]: each for each in spec["containers"]}


def _env(container: dict[str, Any]) -> dict[str, Any]:
    return {item["name"]: item.get("value") for item in container["env"]}


def _configuration(objects: list[Manifest]) -> str:
    return _one(objects, "ConfigMap", "tidegate-nginx")["data"]["nginx.conf"]


def _value(text: str, directive: str) -> str:
    found = re.search(rf"^\s*{directive} (.+);$", text, re.MULTILINE)
    assert found, f"no {directive}"
    return found[1]


def test_it_is_not_there_unless_asked_for(render: Render) -> None:
    objects = render()
    assert not [each for each in objects if each["kind"] == "ConfigMap"]
    assert list(_containers(objects)) == ["web"]


def test_the_loop_is_asyncios_where_nginx_shares_the_pods_cores(render: Render) -> None:
    assert _env(_containers(render(ENABLED))["web"])["TIDEGATE_LOOP"] == "asyncio"
    assert "TIDEGATE_LOOP" not in _env(_containers(render())["web"])


def test_it_keeps_every_rule(render: Render) -> None:
    objects = render(ENABLED)
    assert check(objects) == []
    nginx = _containers(objects)["nginx"]
    assert nginx["securityContext"]["readOnlyRootFilesystem"] is True
    pod = _one(objects, "Deployment", "tidegate-web")["spec"]["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    (writable,) = [each for each in nginx["volumeMounts"] if not each.get("readOnly")]
    assert "emptyDir" in volumes[writable["name"]]
    paths = re.findall(r"^\s*(?:pid|\w+_temp_path) (\S+);$", _configuration(objects), re.MULTILINE)
    assert len(paths) == 6
    assert all(path.startswith(writable["mountPath"] + "/") for path in paths)


def test_callers_reach_nginx_and_prometheus_the_application(render: Render) -> None:
    objects = render(ENABLED)
    containers = _containers(objects)
    ports = {
        name: {p["name"]: p["containerPort"] for p in each["ports"]} for name, each in containers.items()
    }
    assert ports == {"web": {"app": 8000}, "nginx": {"http": 8080}}
    assert _one(objects, "Service", "tidegate-web")["spec"]["ports"][0]["targetPort"] == "http"
    template = _one(objects, "Deployment", "tidegate-web")["spec"]["template"]
    assert template["metadata"]["annotations"]["prometheus.io/port"] == "8000"
    rules = _one(objects, "NetworkPolicy", "tidegate-web")["spec"]["ingress"]
    allowed = [
        (rule["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for rule in rules
        for port in rule["ports"]
    ]
    assert allowed == [("envoy-gateway-system", 8080), ("observability", 8000)]
    assert all(len(rule["from"]) == 1 for rule in rules)


def test_the_pod_is_ready_through_nginx_and_nginx_lives_by_itself(render: Render) -> None:
    nginx = _containers(render(ENABLED))["nginx"]
    assert nginx["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert nginx["livenessProbe"]["httpGet"] == {"path": "/-/alive", "port": "http"}


def test_the_autoscaler_still_looks_at_the_application(render: Render) -> None:
    (metric,) = _one(render(ENABLED), "HorizontalPodAutoscaler", "tidegate-web")["spec"]["metrics"]
    assert metric["containerResource"]["container"] == "web"


def test_only_nginx_and_the_trusted_speak_for_others(render: Render) -> None:
    trusted = {"web": {"trustedProxies": ["10.0.0.0/8"]}}
    plain = _env(_containers(render(trusted))["web"])
    assert plain["TIDEGATE_TRUSTED_PROXIES"] == "10.0.0.0/8"
    behind = _env(_containers(render(trusted, ENABLED))["web"])
    assert behind["TIDEGATE_TRUSTED_PROXIES"] == "127.0.0.1/32,10.0.0.0/8"


def test_nginx_leaves_first_and_both_are_gone_in_time(render: Render) -> None:
    times = {"web": {"preStopSeconds": 4, "drainSeconds": 3, "gracefulTimeoutSeconds": 20}}
    objects = render(times, ENABLED)
    containers = _containers(objects)
    env = _env(containers["web"])
    quits_s = containers["nginx"]["lifecycle"]["preStop"]["sleep"]["seconds"]
    told_s = containers["web"]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert quits_s == 4 + 3
    # The application's listener outlives NGINX's.
    assert told_s + int(env["TIDEGATE_DRAIN_S"]) > quits_s
    patience_s = int(_value(_configuration(objects), "worker_shutdown_timeout").removesuffix("s"))
    pod = _one(objects, "Deployment", "tidegate-web")["spec"]["template"]["spec"]
    assert quits_s + patience_s == told_s + int(env["TIDEGATE_GRACEFUL_TIMEOUT_S"])
    assert quits_s + patience_s < pod["terminationGracePeriodSeconds"]


def test_another_configuration_is_another_pod(render: Render) -> None:
    def checksum(*values: dict[str, Any]) -> str:
        template = _one(render(ENABLED, *values), "Deployment", "tidegate-web")["spec"]["template"]
        return template["metadata"]["annotations"]["checksum/nginx"]

    assert checksum() == checksum()
    assert checksum() != checksum({"web": {"nginx": {"workers": 2}}})


def test_its_bounds_are_the_services_own(render: Render) -> None:
    text, settings = _configuration(render(ENABLED)), Settings.model_fields
    assert (
        int(_value(text, "client_max_body_size").removesuffix("k")) * 1024
        == settings["max_body_bytes"].default
    )
    pieces, size = _value(text, "large_client_header_buffers").split()
    assert int(pieces) * int(size.removesuffix("k")) * 1024 == MAX_HEAD_BYTES
    assert float(_value(text, "client_header_timeout").removesuffix("s")) == HEAD_TIMEOUT_S
    upstream = text[text.index("upstream app") :]
    assert int(_value(upstream, "keepalive_timeout").removesuffix("s")) < settings["keep_alive_s"].default


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["web.nginx.enabled=true", "web.drainSeconds=18"], "must be above 20"),
        (["web.nginx.image=nginx:latest"], "image"),
        (["web.nginx.image=nginx"], "image"),
        (["web.nginx.workers=0"], "workers"),
    ],
)
def test_wrong_values_are_refused_by_name(refused: Refused, words: list[str], reason: str) -> None:
    assert reason in refused(words)


@pytest.mark.parametrize("given", [{}, ENABLED], ids=["plain", "nginx"])
def test_the_gateway_may_reach_by_address_the_port_that_the_service_publishes(
    render: Render, given: dict[str, Any]
) -> None:
    containers = _containers(render(given)).values()
    ports = [port for container in containers for port in container.get("ports", [])]
    (published,) = [port["containerPort"] for port in ports if port["name"] == "http"]
    (envoy,) = [each["spec"] for each in edge_traffic() if each["metadata"]["name"] == "envoy"]
    by_address = [rule["ports"] for rule in envoy["egress"] if "ipBlock" in rule["to"][0]]
    assert published in [port["port"] for ports in by_address for port in ports]
