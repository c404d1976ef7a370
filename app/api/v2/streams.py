"""An order's status as it changes: server-sent events, and the same over a WebSocket.

Both end with the decision. When the process drains, both end with the word that the follower should come
again. The paths have a prefix of their own, so that the gateway can give streams another time limit.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Response, WebSocket
from starlette.responses import StreamingResponse

from app.api.dependencies import CallerDep, ResourcesDep
from app.api.document import operation_id
from app.api.limits import ReadLimit
from app.controllers.orders import order_v2
from app.core.exceptions import DatabaseUnavailableError, ServiceError, UnauthenticatedError
from app.core.problems import service_error_response
from app.db.models import Order, OrderStatus
from app.resources import Resources
from app.schemas.problems import problem_responses
from app.services.order_updates import Watch

SUBPROTOCOL = "tidegate.v2"
_TOKEN_PREFIX = "bearer."  # noqa: S105 - what comes before a token
_RETRY_MS = 1000

# RFC 6455, section 7.4.1, and 1012 from IANA's registry: the server restarts, come again.
_NORMAL, _COME_AGAIN = 1000, 1012

router = APIRouter(prefix="/api/v2/streams", tags=["streams"], generate_unique_id_function=operation_id)


@router.get(
    "/orders/{id}",
    dependencies=[ReadLimit],
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "`order` events with the order, as `GET /api/v2/orders/{id}` shows it; "
            "`reconnect` when the stream ends before the decision",
            # OpenAPI 3.1 has no words for a stream: some tools take a schema here for that of the whole body,
            # others for that of each event.
            "content": {"text/event-stream": {"schema": {}}},
        },
        204: {"description": "The follower has seen the decision already and need not come again"},
        **problem_responses(401, 404, 422, 429, 503),
    },
)
async def follow_order(
    resources: ResourcesDep,
    caller: CallerDep,
    order_id: Annotated[uuid.UUID, Path(alias="id")],
    last_event_id: Annotated[
        str | None, Header(max_length=64, description="Sent by clients that come again")
    ] = None,
) -> Response:
    """Follow one order by server-sent events (WHATWG HTML, section 9.2)."""
    watch = await resources.order_updates.watch(order_id, caller)
    if watch.decided and last_event_id == watch.order.status:
        return Response(status_code=204)
    return StreamingResponse(
        _events(watch),
        media_type="text/event-stream",
        # X-Accel-Buffering: NGINX would else hold events back until a buffer is full.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(watch: Watch) -> AsyncGenerator[str, None]:
    yield f"retry: {_RETRY_MS}\n\n"
    async with watch:
        try:
            async for order in watch.states():
                yield _event(order) if order is not None else ": still here\n\n"
        except DatabaseUnavailableError:
            # The answer's status is out already; another try may find the database back.
            yield "event: reconnect\ndata: {}\n\n"
            return
        if not watch.decided:
            yield "event: reconnect\ndata: {}\n\n"


def _event(order: Order) -> str:
    """The id is the status: it comes back as `Last-Event-ID` and tells what the follower knows."""
    return f"id: {OrderStatus(order.status)}\nevent: order\ndata: {order_v2(order).model_dump_json()}\n\n"


@router.websocket("/orders/{id}")
async def follow_order_by_socket(socket: WebSocket, order_id: Annotated[uuid.UUID, Path(alias="id")]) -> None:
    """Follow one order by WebSocket messages, each the order as JSON.

    The token comes in `Authorization`, or, from browsers, which cannot set it, as the subprotocol
    `bearer.<token>` beside `tidegate.v2`. Close code 1000 means decided, 1012 means come again.
    """
    resources: Resources = socket.app.state.resources
    try:
        watch = await resources.order_updates.watch(order_id, resources.tokens.account_of(_token(socket)))
    except ServiceError as error:
        await socket.send_denial_response(service_error_response(socket.scope, error))
        return
    offered = socket.scope.get("subprotocols", [])
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    listening = asyncio.create_task(_end_when_gone(socket, watch))
    try:
        async with watch:
            async for order in watch.states():
                if order is not None:
                    await socket.send_text(order_v2(order).model_dump_json())
        code = _NORMAL if watch.decided else _COME_AGAIN
    except DatabaseUnavailableError:
        code = _COME_AGAIN
    finally:
        gone = listening.done()
        listening.cancel()
    if not gone:
        await socket.close(code)


async def _end_when_gone(socket: WebSocket, watch: Watch) -> None:
    """Followers have nothing to say; what they send is read and dropped until they leave."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    watch.end()


def _token(socket: WebSocket) -> str:
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    for offered in socket.scope.get("subprotocols", []):
        if offered.startswith(_TOKEN_PREFIX):
            return offered.removeprefix(_TOKEN_PREFIX)
    raise UnauthenticatedError("an access token is needed", given=False)
