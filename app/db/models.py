"""The tables: accounts, products, orders with their lines, and the outbox.

The migrations make them. They also give SQLite the conditions of its indexes: to name those here would load
its dialect in every process.
"""

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.db.base import Base, UtcDateTime


class OrderStatus(StrEnum):
    """The life of an order: pending until decided, then one of two ends for good."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Account(Base):
    """Who buys. Without a password hash nobody can log in to the account."""

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    password_hash: Mapped[str | None] = mapped_column(String(255))


class Product(Base):
    """What is sold. Prices are in the smallest unit of one currency."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents > 0", name="price_positive"),
        Index("ix_products_price_cents_id", "price_cents", "id"),
        Index("ix_products_name_id", "name", "id"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    sku: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    category: Mapped[str] = mapped_column(String(50))
    price_cents: Mapped[int] = mapped_column(Integer)


class Order(Base):
    """What was asked for, and what was decided about it."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("status IN ('pending', 'accepted', 'rejected')", name="status_known"),
        UniqueConstraint("account_id", "idempotency_key"),
        # The account's latest orders, which every fraud check reads.
        Index("ix_orders_account_id_created_at", "account_id", "created_at"),
        # Depth and age of the queue are asked every second; decided orders must cost nothing there.
        Index(
            "ix_orders_pending_created_at",
            "created_at",
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str] = mapped_column(String(16))
    api_version: Mapped[str] = mapped_column(String(8))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    fraud_score: Mapped[float | None] = mapped_column(Double)
    fraud_reasons: Mapped[list[str] | None] = mapped_column(JSON)
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    request_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    lines: Mapped[list["OrderLine"]] = relationship(
        order_by="OrderLine.line_no", lazy="raise", cascade="all, delete-orphan"
    )


class OrderLine(Base):
    """One product of an order, at the price it had."""

    __tablename__ = "order_lines"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity_positive"),)

    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    quantity: Mapped[int] = mapped_column(Integer)
    unit_price_cents: Mapped[int] = mapped_column(Integer)


class OutboxEntry(Base):
    """An order that still has to be decided.

    Written with the order in one transaction and deleted with the decision in another, so nothing the
    queue loses is lost: an entry that stays is published again. `deliveries` counts publications. An entry
    with `died_at` is a dead letter: it is published no more until somebody replays it. `traceparent` is the
    span of the request that took the order, where it was traced: the decision belongs to the same trace.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due_at", "due_at"),
        Index(
            "ix_outbox_died_at",
            "died_at",
            postgresql_where=text("died_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), unique=True)
    deliveries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    died_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(String(300))
    traceparent: Mapped[str | None] = mapped_column(String(55))
