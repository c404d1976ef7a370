"""Dramatiq: as the service uses it (no middleware, for the outbox tries again), one thread; a dead worker's
messages are taken over after 5 s, and looked for in every twentieth command instead of every thousandth."""

from __future__ import annotations

import signal

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from bench.queue_jobs import job

_broker = RedisBroker(url=job.redis_url(), middleware=[], heartbeat_timeout=5_000, maintenance_chance=50_000)


@dramatiq.actor(broker=_broker, queue_name="bench")
def decide(job_id: str) -> None:
    """The job."""
    job.decide(job_id)


def work() -> None:
    """Run a worker."""
    dramatiq.Worker(_broker, worker_threads=1).start()
    signal.pause()


if __name__ == "__main__":
    job.run(work, decide.send)
