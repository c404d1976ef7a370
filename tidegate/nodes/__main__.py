"""`python -m tidegate.nodes CLUSTER`: `tidegate nodes serve CLUSTER`, for `tidegate.nodes.process`."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

from tidegate.errors import TidegateError
from tidegate.nodes.cli import serve


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


signal.signal(signal.SIGTERM, _end)
try:
    serve(sys.argv[1])
except TidegateError as error:
    sys.exit(f"error: {error}")
