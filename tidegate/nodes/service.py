"""Answer the cluster-autoscaler's calls.

One method a call, named as in externalgrpc.proto; a call without a method here is answered with
UNIMPLEMENTED, which the autoscaler takes as "this cloud has no prices" and the like. A refusal becomes a
status, so that the autoscaler logs the reason and tries again at its next round.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NoReturn, cast

import grpc

from tidegate.errors import TidegateError
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.fleet import Fleet, Refused, UnknownGroup
from tidegate.nodes.host import Capacity, Host
from tidegate.nodes.join import node_name, provider_id
from tidegate.nodes.marks import Machine, Stage
from tidegate.nodes.template import template
from tidegate.nodes.wire import externalgrpc_pb2 as wire

SERVICE = wire.DESCRIPTOR.services_by_name["CloudProvider"].full_name

ERROR_CODE = "PROVISIONING_FAILED"
OTHER_ERROR = 99
"""cloudprovider/cloud_provider.go, OtherErrorClass. The other class, out of resources, would say that another
group may still have room; here all groups share one machine."""

_STATE = {
    Stage.WANTED: wire.InstanceStatus.instanceCreating,
    Stage.JOINED: wire.InstanceStatus.instanceRunning,
    # Only of an instance that is being created the autoscaler reads the error (clusterstate/clusterstate.go,
    # buildInstanceToErrorCodeMappings).
    Stage.FAILED: wire.InstanceStatus.instanceCreating,
    Stage.DELETING: wire.InstanceStatus.instanceDeleting,
}


class CloudProvider:
    """The calls. `host` is asked for the machine's size only; all else goes through `fleet`."""

    def __init__(self, fleet: Fleet, host: Host) -> None:
        self._fleet = fleet
        self._capacity: Callable[[], Capacity] = functools.cache(host.capacity)

    def NodeGroups(self, _: wire.NodeGroupsRequest) -> wire.NodeGroupsResponse:  # noqa: N802
        """All groups with their bounds."""
        return wire.NodeGroupsResponse(nodeGroups=[_group(each) for each in self._fleet.groups.values()])

    def NodeGroupForNode(self, asked: wire.NodeGroupForNodeRequest) -> wire.NodeGroupForNodeResponse:  # noqa: N802
        """The group of a node; without an id for the control plane and the workers that kind made."""
        node = node_name(asked.node.providerID, self._fleet.cluster)
        found = self._fleet.find(node) if node else None
        if found is None:
            return wire.NodeGroupForNodeResponse(nodeGroup=wire.NodeGroup())
        return wire.NodeGroupForNodeResponse(nodeGroup=_group(self._fleet.group(found.group)))

    def GPULabel(self, _: wire.GPULabelRequest) -> wire.GPULabelResponse:  # noqa: N802
        """No node here has one; the autoscaler wants a label all the same."""
        return wire.GPULabelResponse(label="tidegate.io/gpu")

    def GetAvailableGPUTypes(self, _: wire.GetAvailableGPUTypesRequest) -> wire.GetAvailableGPUTypesResponse:  # noqa: N802
        """None."""
        return wire.GetAvailableGPUTypesResponse()

    def Cleanup(self, _: wire.CleanupRequest) -> wire.CleanupResponse:  # noqa: N802
        """Nothing: work that was begun goes on without the autoscaler."""
        return wire.CleanupResponse()

    def Refresh(self, _: wire.RefreshRequest) -> wire.RefreshResponse:  # noqa: N802
        """Every round of the autoscaler: go on with what was interrupted or failed to be removed."""
        self._fleet.reconcile()
        return wire.RefreshResponse()

    def NodeGroupTargetSize(self, asked: wire.NodeGroupTargetSizeRequest) -> wire.NodeGroupTargetSizeResponse:  # noqa: N802
        """How many nodes the group is to have."""
        return wire.NodeGroupTargetSizeResponse(targetSize=self._fleet.target(asked.id))

    def NodeGroupIncreaseSize(  # noqa: N802
        self, asked: wire.NodeGroupIncreaseSizeRequest
    ) -> wire.NodeGroupIncreaseSizeResponse:
        """Add nodes; done when they are wanted, not when they are there."""
        self._fleet.increase(asked.id, asked.delta)
        return wire.NodeGroupIncreaseSizeResponse()

    def NodeGroupDeleteNodes(  # noqa: N802
        self, asked: wire.NodeGroupDeleteNodesRequest
    ) -> wire.NodeGroupDeleteNodesResponse:
        """Remove nodes; done when they are marked, not when they are gone."""
        names = [node_name(each.providerID or each.name, self._fleet.cluster) for each in asked.nodes]
        for each, name in zip(asked.nodes, names, strict=True):
            if name is None:
                raise Refused(f"{each.providerID or each.name} is not a node of {self._fleet.cluster}")
        self._fleet.delete(asked.id, [name for name in names if name])
        return wire.NodeGroupDeleteNodesResponse()

    def NodeGroupDecreaseTargetSize(  # noqa: N802
        self, asked: wire.NodeGroupDecreaseTargetSizeRequest
    ) -> wire.NodeGroupDecreaseTargetSizeResponse:
        """Give up nodes that were not begun."""
        self._fleet.decrease(asked.id, asked.delta)
        return wire.NodeGroupDecreaseTargetSizeResponse()

    def NodeGroupNodes(self, asked: wire.NodeGroupNodesRequest) -> wire.NodeGroupNodesResponse:  # noqa: N802
        """The group's instances with their state; a failed one with its reason."""
        found = self._fleet.nodes(asked.id)
        return wire.NodeGroupNodesResponse(instances=[_instance(self._fleet.cluster, each) for each in found])

    def NodeGroupTemplateNodeInfo(  # noqa: N802
        self, asked: wire.NodeGroupTemplateNodeInfoRequest
    ) -> wire.NodeGroupTemplateNodeInfoResponse:
        """A node as it would be, for a group that has none."""
        node = template(self._fleet.group(asked.id), self._capacity())
        return wire.NodeGroupTemplateNodeInfoResponse(nodeBytes=node)

    def NodeGroupGetOptions(  # noqa: N802
        self, asked: wire.NodeGroupAutoscalingOptionsRequest
    ) -> wire.NodeGroupAutoscalingOptionsResponse:
        """What the autoscaler's own flags say: a group has no options beside its bounds."""
        self._fleet.group(asked.id)
        return wire.NodeGroupAutoscalingOptionsResponse(nodeGroupAutoscalingOptions=asked.defaults)


def handler(provider: CloudProvider) -> grpc.GenericRpcHandler:
    """Return what a gRPC server needs to know to give calls to `provider`."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {}
    for described in wire.DESCRIPTOR.services_by_name["CloudProvider"].methods:
        call = getattr(provider, described.name, None)
        if call is None:
            continue
        request, response = (
            getattr(wire, described.input_type.name),
            getattr(wire, described.output_type.name),
        )
        methods[described.name] = grpc.unary_unary_rpc_method_handler(
            _answering(call),
            request_deserializer=request.FromString,
            response_serializer=response.SerializeToString,
        )
    return grpc.method_handlers_generic_handler(SERVICE, methods)


def _answering(call: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """Turn a refusal into a status."""

    def answer(asked: Any, context: grpc.ServicerContext) -> Any:
        try:
            return call(asked)
        except UnknownGroup as error:
            _refuse(context, grpc.StatusCode.NOT_FOUND, error)
        except Refused as error:
            _refuse(context, grpc.StatusCode.FAILED_PRECONDITION, error)
        except TidegateError as error:
            _refuse(context, grpc.StatusCode.UNAVAILABLE, error)

    return answer


def _refuse(context: grpc.ServicerContext, code: grpc.StatusCode, error: TidegateError) -> NoReturn:
    context.abort(code, str(error))


def _group(group: NodeGroup) -> wire.NodeGroup:
    size = f"{group.cpu_m}m CPU, {group.memory_mi}Mi"
    return wire.NodeGroup(id=group.name, minSize=group.min_nodes, maxSize=group.max_nodes, debug=size)


def _instance(cluster: str, machine: Machine) -> wire.Instance:
    status = wire.InstanceStatus(instanceState=cast("Any", _STATE[machine.stage]))
    if machine.stage is Stage.FAILED:
        status.errorInfo.errorCode = ERROR_CODE
        status.errorInfo.errorMessage = machine.note
        status.errorInfo.instanceErrorClass = OTHER_ERROR
    return wire.Instance(id=provider_id(cluster, machine.node), status=status)
