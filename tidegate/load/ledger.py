"""What was said about each order: one line for every attempt to place one, in the Run's `orders.jsonl`.

An order that the service acknowledged has its id there. Whether it is kept is asked after the load
(`tidegate.prove.audit`); the generator itself only notes what it was told, when it was told.
"""

from __future__ import annotations

from functools import cache

from tidegate.load.handover import run_folder
from tidegate.run import JsonlWriter
from tidegate.run.format import ORDERS_FILE


def note_attempt(account: str, began_s: float, order: str | None) -> None:
    """Note an attempt to place an order, once its answer is there or is known never to come.

    Args:
        account: who placed it.
        began_s: when it was sent, unix seconds.
        order: its id, if it was acknowledged (201 or 202); else None.

    Raises:
        TidegateError: the line cannot be written.
    """
    writer = _writer()
    if writer is not None:
        writer.write({"t_s": began_s, "account": account, "order": order})


@cache
def _writer() -> JsonlWriter | None:
    folder = run_folder()
    return JsonlWriter(folder / ORDERS_FILE) if folder else None
