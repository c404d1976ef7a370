"""The worker process: one loop for the relay, the database and HTTP; dramatiq's threads beside it."""

from __future__ import annotations

import asyncio
import concurrent.futures
import signal
import socket
import time
import uuid

import redis
import uvicorn
from dramatiq.worker import Worker

from app.core.logging import get_logger
from app.core.settings import Settings
from app.core.vitals import Vitals
from app.resources import Resources
from app.server import QuietServer, http_options
from app.services.decisions import DecisionService
from app.workers.attempts import TIME_LIMIT_S, Attempts
from app.workers.http import worker_app
from app.workers.queue import QUEUE, RedisDispatcher, connect, make_actor, make_broker, message_parent
from app.workers.queue_metrics import QueueMetrics
from app.workers.relay import Relay

_log = get_logger(__name__)

_STUCK_S = 60.0


async def serve_worker(settings: Settings, listener: socket.socket) -> signal.Signals:
    """Work until SIGTERM or SIGINT; the signal that came.

    On the signal no new message is begun; those in hand are finished within `graceful_timeout_s`, and those
    only fetched go back to the queue.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        received.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)

    resources = Resources.create(settings, application="tidegate-worker")
    decisions = DecisionService(resources.database, resources.fraud, resources.metrics, resources.changes)
    attempts = Attempts(resources.database, decisions, resources.tracing)

    def decide(order_id: uuid.UUID) -> None:
        """Called in a dramatiq thread: the thread waits while the loop works."""
        future = asyncio.run_coroutine_threadsafe(attempts.decide(order_id, message_parent()), loop)
        try:
            # The attempt ends by itself; this is for a loop that does not turn.
            future.result(TIME_LIMIT_S + _STUCK_S)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise

    assert settings.redis_url is not None  # noqa: S101 - `load_settings` sees to it
    client = connect(settings.redis_url.get_secret_value())
    broker = make_broker(client)
    actor = make_actor(broker, decide)
    relay = Relay(
        resources.database,
        RedisDispatcher(client, actor, resources.tracing),
        poll_s=settings.outbox_poll_s,
        redeliver_after_s=settings.redeliver_after_s,
    )
    worker = Worker(broker, queues={QUEUE}, worker_threads=settings.worker_threads)
    worker.start()

    def ailment() -> str | None:
        if time.monotonic() - relay.last_turn_s > _STUCK_S:
            return "the relay has not come round for a minute"
        if not all(thread.is_alive() for thread in (*worker.workers, *worker.consumers.values())):
            return "a worker thread has died"
        return None

    server = QuietServer(
        uvicorn.Config(
            worker_app(resources.metrics, ailment),
            **http_options(settings, lifespan=False, graceful_timeout_s=1),
        )
    )
    queue = QueueMetrics(resources.database, resources.metrics.registry)
    _log.info("working", threads=settings.worker_threads)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run(stop))
        tasks.create_task(queue.run(stop))
        vitals = tasks.create_task(Vitals(resources.metrics, resources.database).run())
        serving = tasks.create_task(server.serve(sockets=[listener]))
        await stop.wait()
        _log.info("worker_stops", signal=received[0].name)
        # In a thread of its own: the loop must turn for the decisions under way to end.
        try:
            await asyncio.to_thread(worker.stop, settings.graceful_timeout_s * 1000)
        except redis.RedisError as error:
            # Fetched messages could not be put back; the outbox has them published again.
            _log.warning("queue_not_told", reason=str(error))
        server.should_exit = True
        await serving
        vitals.cancel()
    await resources.close()
    broker.close()
    client.close()
    return received[0]
