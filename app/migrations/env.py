"""What Alembic runs: on the connection it is handed, and on nothing else."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from app.db import models
from app.db.base import Base


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        # SQLite changes a table by copying it.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


assert models.Order.metadata is Base.metadata  # noqa: S101 - the import above is what fills the metadata
_run(context.config.attributes["connection"])
