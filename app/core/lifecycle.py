"""Whether this process is still looking for work."""

from __future__ import annotations


class Lifecycle:
    """Turned once, from serving to draining, by the server on SIGTERM; read by readiness and middleware."""

    def __init__(self) -> None:
        self._draining = False

    @property
    def draining(self) -> bool:
        """True after SIGTERM: requests are still answered, but new ones should go elsewhere."""
        return self._draining

    def begin_drain(self) -> None:
        """Say that the end has begun. There is no way back."""
        self._draining = True
