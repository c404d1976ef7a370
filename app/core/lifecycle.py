"""Whether this process is still looking for work."""

from __future__ import annotations

from collections.abc import Callable


class Lifecycle:
    """Turned once, from serving to draining, by the server on SIGTERM; read by readiness and middleware."""

    def __init__(self) -> None:
        self._draining = False
        self._listeners: list[Callable[[], None]] = []

    @property
    def draining(self) -> bool:
        """True after SIGTERM: requests are still answered, but new ones should go elsewhere."""
        return self._draining

    def on_drain(self, listener: Callable[[], None]) -> None:
        """Call `listener`, in the event loop's thread, when the end begins: for what outlasts a request."""
        self._listeners.append(listener)

    def begin_drain(self) -> None:
        """Say that the end has begun. There is no way back. Call it in the event loop's thread."""
        if self._draining:
            return
        self._draining = True
        for listener in self._listeners:
            listener()
