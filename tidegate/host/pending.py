"""An answer that is being fetched meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Generic[T]):
    """The result of a function that runs in a thread of its own from now on.

    The thread does not keep the process alive: a name server that never answers delays nobody's exit.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._done = threading.Event()
        self._result: list[T] = []
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._result.append(self._function())
        except BaseException as error:  # noqa: BLE001 - handed to whoever asks for the result
            self._error = error
        self._done.set()

    def get(self, timeout_s: float) -> T:
        """The result.

        Raises:
            TimeoutError: it is not there in time.
            Exception: whatever the function raised.
        """
        if not self._done.wait(max(timeout_s, 0.0)):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._result[0]
