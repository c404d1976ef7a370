"""arq: one job at a time in its event loop; after a death a job is free 10 s after its time limit."""

# arq lives in an environment of its own:
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportUnknownLambdaType=false

from __future__ import annotations

import asyncio
from typing import Any

from arq import create_pool, run_worker
from arq.connections import RedisSettings

from bench.queue_jobs import job

_REDIS = RedisSettings(*job.redis_address())
_POLL_S = 0.01
"""arq looks for jobs at intervals; at its default of 0.5 s that would be all there is to see."""


async def decide(_: dict[str, Any], job_id: str) -> None:
    """The job. It holds the loop, as any work on the processor does in arq, so one runs at a time."""
    job.decide(job_id)


class WorkerSettings:
    """What `run_worker` reads."""

    functions = (decide,)
    redis_settings = _REDIS
    job_timeout = 5
    keep_result = 0
    poll_delay = _POLL_S


class _Submitter:
    """Keeps one connection and one loop for all jobs."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._pool: Any = None

    def __call__(self, job_id: str) -> None:
        self._runner.run(self._submit(job_id))

    async def _submit(self, job_id: str) -> None:
        if self._pool is None:
            self._pool = await create_pool(_REDIS)
        await self._pool.enqueue_job("decide", job_id)


if __name__ == "__main__":
    job.run(lambda: run_worker(WorkerSettings), _Submitter())
