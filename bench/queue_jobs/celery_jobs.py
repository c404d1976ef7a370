"""Celery: one prefork child, acknowledged after the work, handed over again 5 s after a worker's death."""

# Celery carries no types:
# pyright: reportMissingTypeStubs=false, reportMissingImports=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUntypedFunctionDecorator=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false, reportFunctionMemberAccess=false

from __future__ import annotations

from celery import Celery

from bench.queue_jobs import job

app = Celery("bench", broker=job.redis_url())
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 5},
)


@app.task(name="decide")
def decide(job_id: str) -> None:
    """The job."""
    job.decide(job_id)


def work() -> None:
    """Run a worker."""
    app.worker_main(
        ["worker", "--concurrency=1", "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
    )


if __name__ == "__main__":
    job.run(work, lambda job_id: decide.delay(job_id))
