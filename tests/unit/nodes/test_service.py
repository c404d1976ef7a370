"""The calls over a real channel, with certificates on both ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from support.fake_nodes import LARGE, SMALL, FakeHost, Later

from tidegate.errors import TidegateError
from tidegate.nodes.certificates import Bundle, bundle
from tidegate.nodes.fleet import Fleet
from tidegate.nodes.marks import Mark, Stage
from tidegate.nodes.server import serve
from tidegate.nodes.service import CloudProvider
from tidegate.nodes.wire import externalgrpc_pb2 as wire
from tidegate.nodes.wire import kubenode_pb2

PATH = "/clusterautoscaler.cloudprovider.v1.externalgrpc.CloudProvider"


@pytest.fixture(scope="module")
def certificates() -> Bundle:
    return bundle(["127.0.0.1"])


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


class Autoscaler:
    """Calls as the autoscaler makes them: by path and message."""

    def __init__(self, port: int, authority: str, key: str | None, certificate: str | None) -> None:
        trust = grpc.ssl_channel_credentials(
            authority.encode(),
            key.encode() if key else None,
            certificate.encode() if certificate else None,
        )
        self.channel = grpc.secure_channel(f"127.0.0.1:{port}", trust)

    def call(self, name: str, asked: Message, answer: Any) -> Any:
        method: Any = self.channel.unary_unary(
            f"{PATH}/{name}",
            request_serializer=_serialized,
            response_deserializer=answer.FromString,
        )
        return method(asked, timeout=30)


class Place:
    def __init__(self, certificates: Bundle) -> None:
        self.host = FakeHost()
        self.workers = Later()
        names = iter("123456789")
        self.fleet = Fleet(
            "demo", (SMALL, LARGE), self.host, self.workers, self.workers, name=lambda: next(names)
        )
        provider = CloudProvider(self.fleet, self.host)
        self.server, self.port = serve(provider, "127.0.0.1:0", certificates.authority, certificates.server)
        pair = certificates.client
        self.autoscaler = Autoscaler(self.port, certificates.authority, pair.key, pair.certificate)

    def instances(self, group: str = "small") -> list[tuple[str, int, str]]:
        answer = self.autoscaler.call(
            "NodeGroupNodes", wire.NodeGroupNodesRequest(id=group), wire.NodeGroupNodesResponse
        )
        return [
            (each.id, each.status.instanceState, each.status.errorInfo.errorMessage)
            for each in answer.instances
        ]

    def increase(self, delta: int, group: str = "small") -> None:
        asked = wire.NodeGroupIncreaseSizeRequest(id=group, delta=delta)
        self.autoscaler.call("NodeGroupIncreaseSize", asked, wire.NodeGroupIncreaseSizeResponse)

    def delete(self, provider_id: str, group: str = "small") -> None:
        node = wire.ExternalGrpcNode(providerID=provider_id, name=provider_id)
        asked = wire.NodeGroupDeleteNodesRequest(id=group, nodes=[node])
        self.autoscaler.call("NodeGroupDeleteNodes", asked, wire.NodeGroupDeleteNodesResponse)

    def group_of(self, provider_id: str) -> str:
        node = wire.ExternalGrpcNode(providerID=provider_id, name="any")
        asked = wire.NodeGroupForNodeRequest(node=node)
        answer = self.autoscaler.call("NodeGroupForNode", asked, wire.NodeGroupForNodeResponse)
        return answer.nodeGroup.id


@pytest.fixture
def place(certificates: Bundle) -> Iterator[Place]:
    made = Place(certificates)
    yield made
    made.autoscaler.channel.close()
    made.server.stop(None).wait()


def status_of(error: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[grpc.StatusCode, str]:
    told: Any = error.value
    return told.code(), told.details()


def test_groups_with_their_bounds(place: Place) -> None:
    answer = place.autoscaler.call("NodeGroups", wire.NodeGroupsRequest(), wire.NodeGroupsResponse)
    shown = [(each.id, each.minSize, each.maxSize, each.debug) for each in answer.nodeGroups]
    assert shown == [("small", 0, 3, "500m CPU, 512Mi"), ("large", 1, 2, "1500m CPU, 2048Mi")]


def test_a_node_is_creating_then_running_then_deleting_then_gone(place: Place) -> None:
    identity = "kind://docker/demo/demo-small-1"
    place.increase(1)
    assert place.instances() == [(identity, wire.InstanceStatus.instanceCreating, "")]
    place.workers.work()
    assert place.instances() == [(identity, wire.InstanceStatus.instanceRunning, "")]
    place.delete(identity)
    assert place.instances() == [(identity, wire.InstanceStatus.instanceDeleting, "")]
    place.workers.work()
    assert place.instances() == []


def test_the_target_follows(place: Place) -> None:
    def target() -> int:
        asked = wire.NodeGroupTargetSizeRequest(id="small")
        return place.autoscaler.call(
            "NodeGroupTargetSize", asked, wire.NodeGroupTargetSizeResponse
        ).targetSize

    place.increase(2)
    assert target() == 2
    asked = wire.NodeGroupDecreaseTargetSizeRequest(id="small", delta=-1)
    place.autoscaler.call("NodeGroupDecreaseTargetSize", asked, wire.NodeGroupDecreaseTargetSizeResponse)
    assert target() == 1


def test_a_failed_node_is_creating_with_an_error_which_the_autoscaler_backs_off_from(place: Place) -> None:
    place.host.failing["start"] = "no space left"
    place.increase(1)
    place.workers.work()
    asked = wire.NodeGroupNodesRequest(id="small")
    (failed,) = place.autoscaler.call("NodeGroupNodes", asked, wire.NodeGroupNodesResponse).instances
    assert failed.status.instanceState == wire.InstanceStatus.instanceCreating
    error = failed.status.errorInfo
    told = (error.errorCode, error.errorMessage, error.instanceErrorClass)
    assert told == ("PROVISIONING_FAILED", "no space left", 99)
    place.delete(failed.id)
    place.workers.work()
    assert place.instances() == []


def test_a_made_up_node_of_an_instance_is_removed_by_its_name(place: Place) -> None:
    place.increase(1)
    node = wire.ExternalGrpcNode(name="kind://docker/demo/demo-small-1")
    asked = wire.NodeGroupDeleteNodesRequest(id="small", nodes=[node])
    place.autoscaler.call("NodeGroupDeleteNodes", asked, wire.NodeGroupDeleteNodesResponse)
    place.workers.work()
    assert place.instances() == []


def test_only_nodes_of_a_group_have_one(place: Place) -> None:
    place.increase(1, "large")
    assert place.group_of("kind://docker/demo/demo-large-1") == "large"
    assert place.group_of("kind://docker/demo/demo-worker") == ""
    assert place.group_of("kind://docker/demo/demo-control-plane") == ""
    assert place.group_of("kind://docker/other/demo-large-1") == ""


def test_a_foreign_node_is_not_deleted(place: Place) -> None:
    with pytest.raises(grpc.RpcError) as error:
        place.delete("kind://docker/other/other-worker")
    assert status_of(error) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "kind://docker/other/other-worker is not a node of demo",
    )


def test_a_refusal_is_a_status_with_its_reason(place: Place) -> None:
    with pytest.raises(grpc.RpcError) as error:
        place.increase(4)
    assert status_of(error)[0] is grpc.StatusCode.FAILED_PRECONDITION
    assert "above the maximum 3" in status_of(error)[1]
    with pytest.raises(grpc.RpcError) as error:
        place.increase(1, "huge")
    assert status_of(error)[0] is grpc.StatusCode.NOT_FOUND


def test_an_engine_that_does_not_answer_is_told_as_such(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> list[Mark]:
        raise TidegateError("docker volume ls failed")

    monkeypatch.setattr(place.host, "marks", away)
    with pytest.raises(grpc.RpcError) as error:
        place.instances()
    assert status_of(error) == (grpc.StatusCode.UNAVAILABLE, "docker volume ls failed")


def test_every_round_goes_on_with_what_was_left(place: Place) -> None:
    place.host.put(Mark("demo-small-7", "small", Stage.WANTED))
    place.autoscaler.call("Refresh", wire.RefreshRequest(), wire.RefreshResponse)
    place.workers.work()
    assert place.instances() == [("kind://docker/demo/demo-small-7", wire.InstanceStatus.instanceRunning, "")]


def test_an_empty_group_has_a_template(place: Place) -> None:
    asked = wire.NodeGroupTemplateNodeInfoRequest(id="large")
    answer = place.autoscaler.call("NodeGroupTemplateNodeInfo", asked, wire.NodeGroupTemplateNodeInfoResponse)
    assert kubenode_pb2.Node.FromString(answer.nodeBytes).status.allocatable["cpu"].string == "1500m"


def test_options_are_the_autoscalers_own(place: Place) -> None:
    defaults = wire.NodeGroupAutoscalingOptions(
        scaleDownUtilizationThreshold=0.5, ignoreDaemonSetsUtilization=True
    )
    defaults.scaleDownUnneededDuration.FromSeconds(30)
    asked = wire.NodeGroupAutoscalingOptionsRequest(id="small", defaults=defaults)
    answer = place.autoscaler.call("NodeGroupGetOptions", asked, wire.NodeGroupAutoscalingOptionsResponse)
    assert answer.nodeGroupAutoscalingOptions == defaults


def test_what_is_optional_and_absent_is_unimplemented(place: Place) -> None:
    with pytest.raises(grpc.RpcError) as error:
        place.autoscaler.call(
            "PricingNodePrice", wire.PricingNodePriceRequest(), wire.PricingNodePriceResponse
        )
    assert status_of(error)[0] is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize(
    ("name", "asked", "answer"),
    [
        ("GPULabel", wire.GPULabelRequest(), wire.GPULabelResponse(label="tidegate.io/gpu")),
        (
            "GetAvailableGPUTypes",
            wire.GetAvailableGPUTypesRequest(),
            wire.GetAvailableGPUTypesResponse(),
        ),
        ("Cleanup", wire.CleanupRequest(), wire.CleanupResponse()),
    ],
)
def test_questions_without_consequence(place: Place, name: str, asked: Any, answer: Any) -> None:
    assert place.autoscaler.call(name, asked, type(answer)) == answer


@pytest.mark.parametrize("stranger", ["nothing", "another authority's"])
def test_a_caller_without_our_certificate_gets_no_answer(
    place: Place, certificates: Bundle, stranger: str
) -> None:
    pair = bundle(["127.0.0.1"]).client if stranger != "nothing" else None
    caller = Autoscaler(
        place.port,
        certificates.authority,
        pair.key if pair else None,
        pair.certificate if pair else None,
    )
    with pytest.raises(grpc.RpcError) as error:
        caller.call("NodeGroups", wire.NodeGroupsRequest(), wire.NodeGroupsResponse)
    caller.channel.close()
    assert status_of(error)[0] is grpc.StatusCode.UNAVAILABLE


def test_a_port_in_use_is_one_line(place: Place, certificates: Bundle) -> None:
    provider = CloudProvider(place.fleet, place.host)
    with pytest.raises(TidegateError, match=f"nothing can listen at 127.0.0.1:{place.port}"):
        serve(provider, f"127.0.0.1:{place.port}", certificates.authority, certificates.server)
