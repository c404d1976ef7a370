"""`python -m app.migrate`: brings the database to the schema this release needs, and seeds it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from app.core.logging import configure_logging
from app.core.settings import Settings, SettingsError, load_settings
from app.db.engine import make_engine
from app.migrations.run import migrate, wait_for_database


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; errors of its environment are one line and status 3."""
    parser = argparse.ArgumentParser(prog="python -m app.migrate", description=__doc__)
    parser.add_argument("--revision", default="head", help="where to go (default: head)")
    parser.add_argument(
        "--down", action="store_true", help="go back to --revision; `base` removes everything"
    )
    parser.add_argument("--no-seed", action="store_true", help="leave the shop empty")
    options = parser.parse_args(arguments)
    try:
        settings = load_settings("migrate")
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 3
    configure_logging(settings)
    try:
        asyncio.run(run(settings, revision=options.revision, down=options.down, seeded=not options.no_seed))
    except Exception as error:  # noqa: BLE001 - a Job's log should end in one line that says why
        print(f"error: {type(error).__name__}: {' '.join(str(error).split())[:300]}", file=sys.stderr)
        return 3
    return 0


async def run(settings: Settings, *, revision: str = "head", down: bool = False, seeded: bool = True) -> None:
    """Wait for the database, then migrate it."""
    engine = make_engine(
        settings.database_url.get_secret_value(), pool_size=1, application="tidegate-migrate"
    )
    try:
        await wait_for_database(engine, wait_s=settings.migrate_wait_s)
        demo = settings.demo_password.get_secret_value() if settings.demo_password else None
        await migrate(engine, revision=revision, down=down, seeded=seeded, demo_password=demo)
    finally:
        await engine.dispose()


if __name__ == "__main__":
    sys.exit(main())
