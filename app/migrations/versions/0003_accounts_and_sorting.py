"""Accounts may log in; products can be sorted and orders listed without a sort."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("accounts", sa.Column("password_hash", sa.String(255), nullable=True))
    # Each with the id, which decides between equals and makes a page's end unambiguous.
    op.create_index("ix_products_price_cents_id", "products", ["price_cents", "id"])
    op.create_index("ix_products_name_id", "products", ["name", "id"])


def downgrade() -> None:
    op.drop_index("ix_products_name_id", "products")
    op.drop_index("ix_products_price_cents_id", "products")
    # In place, on SQLite too: a copy of the table would take the orders' references with it.
    op.drop_column("accounts", "password_hash")
