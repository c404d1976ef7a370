"""Access tokens: JWT signed with HMAC-SHA-256 by a named key (RFC 7519, RFC 7515 section 4.1.4).

PyJWT is imported with the first token, for the start of a pod is what scaling up waits for.
"""

# PyJWT types keys by a library that need not be there:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import time

from app.core.exceptions import UnauthenticatedError
from app.core.keys import KeyRing

_ALGORITHM = "HS256"
_ISSUER = "tidegate"
_SKEW_S = 120
"""How far the clocks of two pods may be apart, seconds: at most a few minutes (RFC 7519 section 4.1.4)."""
_LONGEST = 2048
"""Characters of a token of ours, with room; what is longer is not worth a hash."""


class TokenService:
    """Issues and reads tokens.

    The service alone reads what it signed, so one secret does for both, and checking a token costs some
    twenty microseconds: little enough for the event loop.

    Args:
        ttl_s: life of a token, seconds.
    """

    def __init__(self, keys: KeyRing, *, ttl_s: int) -> None:
        self._keys = keys
        self.ttl_s = ttl_s

    def issue(self, account_id: str) -> str:
        """A token that says its bearer acts for the account."""
        import jwt

        now = int(time.time())
        claims = {"iss": _ISSUER, "sub": account_id, "iat": now, "exp": now + self.ttl_s}
        key_id = self._keys.signing_id
        return jwt.encode(claims, self._keys.secrets[key_id], _ALGORITHM, headers={"kid": key_id})

    def account_of(self, token: str) -> str:
        """The account the bearer acts for.

        Raises:
            UnauthenticatedError: not a token of ours, or its time is over.
        """
        if len(token) > _LONGEST:
            raise _refusal()
        import jwt

        try:
            # The header is nobody's word yet: it only chooses among our own keys, and never the algorithm.
            key = self._keys.secrets.get(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise _refusal()
            claims = jwt.decode(
                token,
                key,
                [_ALGORITHM],
                issuer=_ISSUER,
                leeway=_SKEW_S,
                options={"require": ["exp", "iat", "sub"]},
            )
        except jwt.InvalidTokenError:
            raise _refusal() from None
        return claims["sub"]


def _refusal() -> UnauthenticatedError:
    return UnauthenticatedError("the access token is not valid, or not any more", given=True)
