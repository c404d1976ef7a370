"""Outbox entries that no delivery could settle are set aside with the reason."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("died_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("last_error", sa.String(300), nullable=True))
    op.create_index(
        "ix_outbox_died_at",
        "outbox",
        ["died_at"],
        postgresql_where=sa.text("died_at IS NOT NULL"),
        sqlite_where=sa.text("died_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_died_at", "outbox")
    op.drop_column("outbox", "last_error")
    op.drop_column("outbox", "died_at")
