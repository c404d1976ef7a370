"""The data layer: PostgreSQL for orders, Redis for the queue and the cache."""

from __future__ import annotations

from infra.data.layer import Data, DataArgs

__all__ = ["Data", "DataArgs"]
