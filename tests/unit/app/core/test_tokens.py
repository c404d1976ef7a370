from __future__ import annotations

import time

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.exceptions import UnauthenticatedError
from app.core.keys import KeyRing, parse_keys
from app.core.tokens import TokenService

OLD, NEW = "old:" + "o" * 32, "new:" + "n" * 32


def service(keys: str = OLD) -> TokenService:
    return TokenService(parse_keys(keys), ttl_s=60)


def forged(key: str = "o" * 32, algorithm: str = "HS256", key_id: str = "old", **changes: object) -> str:
    now = int(time.time())
    claims: dict[str, object] = {"iss": "tidegate", "sub": "acct-0001", "iat": now, "exp": now + 60} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(claims, key, algorithm, headers={"kid": key_id})  # pyright: ignore[reportUnknownMemberType]


def test_a_token_names_its_account_and_its_key() -> None:
    token = service().issue("acct-0007")
    assert service().account_of(token) == "acct-0007"
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "kid": "old", "typ": "JWT"}


def test_keys_change_without_a_token_failing() -> None:
    old, both, turned, new = (service(keys) for keys in (OLD, f"{OLD},{NEW}", f"{NEW},{OLD}", NEW))
    # During each rollout the pods before and after it meet each other's tokens.
    for before, after in ((old, both), (both, turned), (turned, turned)):
        assert after.account_of(before.issue("a")) == "a"
        assert before.account_of(after.issue("a")) == "a"
    assert new.account_of(turned.issue("a")) == "a"
    with pytest.raises(UnauthenticatedError):
        new.account_of(old.issue("a"))


def test_the_helper_makes_tokens_that_hold() -> None:
    assert service().account_of(forged()) == "acct-0001"


@pytest.mark.parametrize("ahead_s", [-170, -60, 60, 110])
def test_a_pod_whose_clock_is_ahead_or_behind_signs_tokens_that_hold(ahead_s: int) -> None:
    """A minute of life and two of leeway: one that signs 170 s behind is still believed."""
    now = int(time.time()) + ahead_s
    assert service().account_of(forged(iat=now, exp=now + 60)) == "acct-0001"


@pytest.mark.parametrize(
    "token",
    [
        forged(exp=int(time.time()) - 130),
        forged(exp=None),
        forged(sub=None),
        forged(sub=7),
        forged(iss="another"),
        forged(iss=None),
        forged(iat=int(time.time()) + 600),
        forged(key="x" * 32),
        forged(key_id="new"),
        forged(key="o" * 64, algorithm="HS512"),
        "",
        "a.b.c",
        "x" * 5000,
        forged() + "x",
        # The algorithm `none`: header and claims without a signature.
        "eyJhbGciOiJub25lIiwia2lkIjoib2xkIn0.eyJzdWIiOiJhY2N0LTAwMDEifQ.",
    ],
)
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(UnauthenticatedError) as caught:
        service().account_of(token)
    assert caught.value.headers() == {"WWW-Authenticate": 'Bearer error="invalid_token"'}


@given(st.text(max_size=300))
def test_no_text_does_worse_than_be_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        service().account_of(text)


def test_drawn_keys_are_the_process_own() -> None:
    token = TokenService(KeyRing.draw(), ttl_s=60).issue("a")
    with pytest.raises(UnauthenticatedError):
        TokenService(KeyRing.draw(), ttl_s=60).account_of(token)
