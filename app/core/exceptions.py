"""What can go wrong in the service's own terms. Each knows the answer HTTP gives for it."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """An expected failure.

    Args:
        detail: what happened to this request, for the caller to read; no secrets, no internals.
        retry_after_s: seconds after which trying again makes sense; None when it never does.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, *, retry_after_s: int | None = None) -> None:
        self.detail = detail
        self.retry_after_s = retry_after_s
        super().__init__(detail)

    @classmethod
    def type_urn(cls) -> str:
        """The `type` of the problem (RFC 9457, section 3.1.1)."""
        return f"urn:tidegate:problem:{cls.slug}"

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer."""
        return {"Retry-After": str(self.retry_after_s)} if self.retry_after_s is not None else {}

    def members(self) -> dict[str, str]:
        """Members of the problem beside those every problem has."""
        return {}


class NotFoundError(ServiceError):
    """The thing named in the path does not exist."""

    status = 404
    slug = "not-found"
    title = "Not found"


class UnauthenticatedError(ServiceError):
    """The request carries no token, or none that holds."""

    status = 401
    slug = "unauthenticated"
    title = "Authentication needed"

    def __init__(self, detail: str, *, given: bool) -> None:
        super().__init__(detail)
        self._given = given

    def headers(self) -> dict[str, str]:
        """A challenge; it names an error only where a token was given (RFC 6750, section 3)."""
        return {"WWW-Authenticate": 'Bearer error="invalid_token"' if self._given else "Bearer"}


class InvalidGrantError(ServiceError):
    """User name and password do not belong together; which of the two is wrong is not told."""

    status = 400
    slug = "invalid-grant"
    title = "Invalid user name or password"

    def members(self) -> dict[str, str]:
        """The member OAuth clients look at (RFC 6749, section 5.2)."""
        return {"error": "invalid_grant"}


class ForeignAccountError(ServiceError):
    """The body asks to act for another account than the caller's own."""

    status = 403
    slug = "foreign-account"
    title = "Not your account"


class UnknownReferenceError(ServiceError):
    """The body names an account or a product that does not exist."""

    status = 422
    slug = "unknown-reference"
    title = "The request names something that does not exist"


class InvalidCursorError(ServiceError):
    """The cursor was not made by this service."""

    status = 400
    slug = "invalid-cursor"
    title = "Invalid cursor"


class IdempotencyConflictError(ServiceError):
    """The same idempotency key came with another body."""

    status = 409
    slug = "idempotency-conflict"
    title = "Idempotency key reused"


class RateLimitedError(ServiceError):
    """The caller has used up its budget for now."""

    status = 429
    slug = "rate-limited"
    title = "Too many requests"


class OverloadedError(ServiceError):
    """More work waits than can be done in useful time; shedding keeps the rest quick."""

    status = 503
    slug = "overloaded"
    title = "Overloaded"


class DatabaseUnavailableError(ServiceError):
    """The database did not answer in time, refused, or hung up."""

    status = 503
    slug = "database-unavailable"
    title = "Database unavailable"


class DispatchUnavailableError(Exception):
    """The job queue did not take the message; the outbox keeps it."""


class BindError(Exception):
    """The address cannot be listened on."""
