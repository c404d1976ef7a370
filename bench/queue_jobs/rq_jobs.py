"""RQ: its default worker, a fork for each job.

A job whose worker died is handed over again when its heartbeat is 60 s old; RQ does not let one shorten that.
"""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import redis
from rq import Queue, Retry, Worker

from bench.queue_jobs import job

_connection = redis.Redis(*job.redis_address())
_queue = Queue("bench", connection=_connection)


def work() -> None:
    """Run a worker."""
    Worker([_queue], connection=_connection, maintenance_interval=5).work(logging_level="WARNING")


if __name__ == "__main__":
    job.run(
        work,
        lambda job_id: _queue.enqueue(
            "bench.queue_jobs.job.decide", job_id, result_ttl=0, retry=Retry(max=3)
        ),
    )
