"""`python -m app.dead`: orders that no delivery could get decided, and what is to become of them.

They stay pending: nobody's goods are sent unchecked, and nobody is told a falsehood. `list` shows each with
its last error, one JSON object a line; `replay` has them delivered again, once the cause is mended; `discard`
rejects them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from collections.abc import Collection, Sequence

import orjson

from app.core.logging import configure_logging
from app.core.settings import Settings, SettingsError, load_settings
from app.db.base import utc_now
from app.repositories.outbox import OutboxRepository
from app.resources import Resources
from app.services.decisions import DecisionService


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; errors of its environment are one line and status 3."""
    parser = argparse.ArgumentParser(prog="python -m app.dead", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="show them")
    for name, text in (("replay", "deliver again"), ("discard", "reject")):
        action = actions.add_parser(name, help=text)
        which = action.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every one there is")
        which.add_argument("ids", nargs="*", type=uuid.UUID, default=[], metavar="ORDER_ID")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings("migrate")
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    configure_logging(settings, stream=sys.stderr)
    chosen = None if options.action == "list" or options.all else options.ids
    try:
        asyncio.run(run(settings, options.action, chosen))
    except Exception as error:  # noqa: BLE001 - one line that says why, for whoever stands at the terminal
        print(f"error: {type(error).__name__}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        return 3
    return 0


async def run(settings: Settings, action: str, chosen: Collection[uuid.UUID] | None) -> None:
    """Do it.

    Args:
        chosen: ids of orders; None means every dead letter.
    """
    resources = Resources.create(settings, application="tidegate-dead")
    try:
        async with resources.database.session() as session:
            dead = await OutboxRepository(session).dead()
        wanted = [entry for entry in dead if chosen is None or entry.order_id in chosen]
        ids = [entry.order_id for entry in wanted]
        if action == "list":
            for entry in wanted:
                _show(
                    order_id=entry.order_id,
                    placed_at=entry.created_at,
                    died_at=entry.died_at,
                    deliveries=entry.deliveries,
                    last_error=entry.last_error,
                )
        elif action == "replay":
            async with resources.database.session() as session:
                count = await OutboxRepository(session).replay(ids, now=utc_now())
                await session.commit()
            _show(replayed=count)
        else:
            decisions = DecisionService(
                resources.database, resources.fraud, resources.metrics, resources.changes
            )
            _show(discarded=sum([await decisions.give_up(order_id) for order_id in ids]))
    finally:
        await resources.close()


def _show(**line: object) -> None:
    print(orjson.dumps(line, default=str).decode())


if __name__ == "__main__":
    sys.exit(main())
