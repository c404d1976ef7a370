"""Chaos Mesh's DNS server, the program itself: orders of the controller, questions of pods, answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import grpc
import httpx
import pytest
import yaml
from support.api_server import ApiServer, serving, write_kubeconfig
from support.dns_chaos import (
    AAAA,
    BEHIND,
    DONE,
    MX,
    NOERROR,
    SERVFAIL,
    Answer,
    DnsServer,
    dns_server,
    server_behind,
)
from support.kube_checks import at_hand

from infra.faults.dns import COREFILE
from tidegate.host.paths import project_root
from tidegate.images import ensure_programs

pytestmark = pytest.mark.integration

POSTGRES = "postgres.data.svc.cluster.local"
WEB_1, WEB_2, OTHER = "127.0.0.11", "127.0.0.12", "127.0.0.13"
RIGHT, WRONG = Answer(NOERROR, (BEHIND,)), Answer(SERVFAIL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[DnsServer]:
    program = at_hand(lambda: ensure_programs(["chaos-coredns"])["chaos-coredns"])
    folder = tmp_path_factory.mktemp("dns")
    pods = {"web-1": [WEB_1], "web-2": [WEB_2], "starting": []}
    api = ApiServer()
    for name, addresses in pods.items():
        api.answers[f"/api/v1/namespaces/tidegate/pods/{name}"] = {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": "tidegate"},
            "status": {"podIPs": [{"ip": each} for each in addresses]},
        }
    with serving(api), server_behind() as behind:
        kubeconfig = write_kubeconfig(folder / "kubeconfig", api.url)
        with dns_server(program, COREFILE, kubeconfig, behind, folder) as made:
            yield made


@pytest.fixture(autouse=True)
def lifted(server: DnsServer) -> Generator[None]:
    """No fault is left to the next test."""
    yield
    for name in ("dns-error", "another"):
        server.lift(name)


def test_the_experiments_own_order_spoils_one_name_of_one_pod(server: DnsServer) -> None:
    experiment = yaml.safe_load((project_root() / "chaos" / "dns-error.yaml").read_text())
    spec = experiment["spec"]
    assert server.ask(POSTGRES, source=WEB_1) == RIGHT
    assert server.fault("dns-error", "web-1", spec["action"], *spec["patterns"]) == DONE
    assert server.ask(POSTGRES, source=WEB_1) == WRONG
    assert server.ask(POSTGRES.upper(), source=WEB_1) == WRONG
    assert server.ask(POSTGRES, source=WEB_1, kind=AAAA) == WRONG
    assert server.ask(POSTGRES, source=OTHER) == RIGHT
    assert server.ask("redis.data.svc.cluster.local", source=WEB_1) == RIGHT
    assert server.ask(f"{POSTGRES}.tidegate.svc.cluster.local", source=WEB_1) == RIGHT


def test_one_order_lifts_it_for_all_pods_and_the_next_ones_are_no_error(server: DnsServer) -> None:
    for pod in ("web-1", "web-2"):
        server.fault("dns-error", pod, "error", POSTGRES)
    assert [server.ask(POSTGRES, source=each) for each in (WEB_1, WEB_2)] == [WRONG, WRONG]
    assert [server.lift("dns-error") for _ in range(2)] == [DONE, DONE]
    assert [server.ask(POSTGRES, source=each) for each in (WEB_1, WEB_2)] == [RIGHT, RIGHT]


def test_experiments_end_each_by_itself(server: DnsServer) -> None:
    server.fault("dns-error", "web-1", "error", POSTGRES)
    server.fault("another", "web-1", "error", "redis.*")
    server.lift("dns-error")
    assert server.ask(POSTGRES, source=WEB_1) == RIGHT
    assert server.ask("redis.data.svc.cluster.local", source=WEB_1) == WRONG


def test_an_order_that_is_given_again_replaces_the_first(server: DnsServer) -> None:
    server.fault("dns-error", "web-1", "error", POSTGRES)
    server.fault("dns-error", "web-1", "error", "redis.data.svc.cluster.local")
    assert server.ask(POSTGRES, source=WEB_1) == RIGHT


@pytest.mark.parametrize(
    ("pattern", "hit", "missed"),
    [
        ("postgres.*", POSTGRES, "a.postgres.data"),
        ("postgre?.data.svc.cluster.local", POSTGRES, "postgress.data.svc.cluster.local"),
    ],
)
def test_patterns(server: DnsServer, pattern: str, hit: str, missed: str) -> None:
    server.fault("dns-error", "web-1", "error", pattern)
    assert (server.ask(hit, source=WEB_1), server.ask(missed, source=WEB_1)) == (WRONG, RIGHT)


def test_no_pattern_means_every_name(server: DnsServer) -> None:
    server.fault("dns-error", "web-1", "error")
    assert server.ask("example.org", source=WEB_1) == WRONG


def test_random_addresses_are_nobodys(server: DnsServer) -> None:
    server.fault("dns-error", "web-1", "random", POSTGRES)
    fours = {server.ask(POSTGRES, source=WEB_1).addresses[0] for _ in range(20)}
    sixes = {server.ask(POSTGRES, source=WEB_1, kind=AAAA).addresses[0] for _ in range(20)}
    assert len(fours) > 1
    assert len(sixes) > 1
    assert all(ipaddress.IPv4Address(each) in ipaddress.IPv4Network("198.18.0.0/15") for each in fours)
    assert all(ipaddress.IPv6Address(each) in ipaddress.IPv6Network("2001:db8::/32") for each in sixes)
    assert server.ask(POSTGRES, source=WEB_1, kind=MX) == WRONG


@pytest.mark.parametrize(
    ("pod", "action", "pattern", "code"),
    [
        ("web-1", "delay", POSTGRES, grpc.StatusCode.INVALID_ARGUMENT),
        ("web-1", "error", "post[", grpc.StatusCode.INVALID_ARGUMENT),
        ("starting", "error", POSTGRES, grpc.StatusCode.UNAVAILABLE),
    ],
)
def test_an_order_that_cannot_be_done_is_refused(
    server: DnsServer, pod: str, action: str, pattern: str, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        server.fault("dns-error", pod, action, pattern)
    assert refused.value.code() is code
    assert server.ask(POSTGRES, source=WEB_1) == RIGHT


def test_orders_and_questions_at_once(server: DnsServer) -> None:
    """Nothing of upstream's plugin was locked; the runtime ends a program that is caught at that."""

    def orders(turn: int) -> bytes:
        server.fault("dns-error", ("web-1", "web-2")[turn % 2], "error", POSTGRES)
        return server.lift("dns-error")

    def question(turn: int) -> Answer:
        return server.ask(POSTGRES, source=(WEB_1, WEB_2)[turn % 2])

    with ThreadPoolExecutor(8) as pool:
        done, said = pool.map(orders, range(100)), pool.map(question, range(1000))
        assert set(done) == {DONE}
        assert set(said) <= {RIGHT, WRONG}
    assert server.ask(POSTGRES, source=WEB_1) == RIGHT


def test_it_says_that_it_is_well(server: DnsServer) -> None:
    assert httpx.get(f"http://127.0.0.1:{server.health}/health").text == "OK"
