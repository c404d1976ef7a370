"""The service on this machine alone: SQLite, no Redis, no cluster."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import state_dir


def dev(port: int = 8000, data_dir: Path | None = None) -> int:
    """Migrate a database file and serve the whole API from this process until interrupted.

    Version 2 orders are decided here too, by a relay beside the web server. Logs go to standard error, and so
    does the password of the seeded accounts, which is drawn once and kept beside the database.

    Args:
        port: on 127.0.0.1; 0 takes any free one.
        data_dir: where `tidegate.db` is kept; by default in the kit's state folder.

    Returns:
        130 after an interrupt, 0 after SIGTERM.

    Raises:
        TidegateError: the port or the folder cannot be used.
    """
    # Imported here: the rest of the kit has no need of the service or its packages.
    from app.core.exceptions import BindError
    from app.core.logging import configure_logging
    from app.core.settings import SettingsError, load_settings
    from app.migrate import run as migrate
    from app.web import run_web
    from app.workers.inline import inline_worker

    folder = data_dir if data_dir is not None else state_dir() / "dev"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        password = demo_password(folder)
        settings = load_settings(
            environment="development",
            demo_password=password,
            database_url=f"sqlite+aiosqlite:///{folder / 'tidegate.db'}",
            host="127.0.0.1",
            port=port,
            # Nobody routes traffic away from here, so there is nothing to wait for.
            drain_s=0,
            log_format="console",
        )
        configure_logging(settings, stream=sys.stderr)
        asyncio.run(migrate(settings))
        sys.stderr.write(f"log in as acct-0001 to acct-0050; password: {password}\n")
        return run_web(settings, background=inline_worker, log_stream=sys.stderr)
    except OSError as error:
        raise TidegateError(
            f"{error.strerror or error}", where=str(folder), cure="choose another folder"
        ) from error
    except SettingsError as error:
        raise TidegateError(str(error)) from error
    except BindError as error:
        raise TidegateError(str(error), cure="choose another --port") from error


def demo_password(folder: Path) -> str:
    """The password of the seeded accounts: the one kept in `folder`, or a new one, readable by its owner.

    Raises:
        OSError: the file can be neither read nor written.
    """
    file = folder / "demo-password"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        password = secrets.token_urlsafe(18)
        # Made unreadable for others first and filled then.
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as writer:
            writer.write(password)
        return password
