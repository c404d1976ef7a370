from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidegate.load.shares import share


@given(st.integers(0, 10**7), st.integers(1, 64))
def test_shares_differ_by_one_at_most_and_add_up(total: int, of: int) -> None:
    shares = [share(total, number, of) for number in range(of)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
