from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import postgresql, sqlite

from app.db.base import UtcDateTime

PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()])
def test_a_time_comes_back_as_the_same_moment_in_utc(dialect: sqlite.dialect | postgresql.dialect) -> None:
    kind = UtcDateTime()
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=PARIS)
    back = kind.process_result_value(kind.process_bind_param(moment, dialect), dialect)
    assert back == moment
    assert back is not None
    assert back.tzinfo is UTC
    assert kind.process_bind_param(None, dialect) is None
    assert kind.process_result_value(None, dialect) is None


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 2), sqlite.dialect())  # noqa: DTZ001
