"""A real PostgreSQL of the test run's own."""

from __future__ import annotations

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from support.children import answers, find_program, free_port, missing, stop, wait_until

_USER = "tidegate"


class PostgresServer:
    """A cluster in a temporary folder, listening on 127.0.0.1 only.

    PostgreSQL refuses to run as root; under root it runs as `postgres`, or `nobody` where there is none.

    Args:
        settings: `name=value` of its configuration, which win over those of tests.
    """

    def __init__(self, *settings: str) -> None:
        self._settings = settings
        places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        initdb = find_program("initdb", *places)
        server = find_program("postgres", *places)
        if initdb is None or server is None:
            missing("PostgreSQL's server")
        self._initdb, self._server = initdb, server
        self._password = secrets.token_hex(8)
        # Not pytest's own folder: nobody but its owner may pass through that one.
        self._folder = Path(tempfile.mkdtemp(prefix="tidegate-postgres-"))
        self._become: list[str] = []
        if os.geteuid() == 0:
            owner = _unprivileged()
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
            self._become = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
        self.log = self._folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0
        self.port = free_port()

    def create(self) -> None:
        """Make the cluster's files."""
        word = self._folder / "password"
        word.write_text(self._password)
        word.chmod(0o644)
        command = [*self._become, str(self._initdb), "--pgdata", str(self._folder / "data"), "--no-sync"]
        command += ["--username", _USER, "--auth=scram-sha-256", f"--pwfile={word}", "--encoding=UTF8"]
        subprocess.run([*command, "--locale=C"], check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        """Start it and wait until it serves."""
        command = [*self._become, str(self._server), "-D", str(self._folder / "data"), "-p", str(self.port)]
        for setting in (
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "fsync=off",
            "max_connections=60",
            "shared_buffers=32MB",
            *self._settings,
        ):
            command += ["-c", setting]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        wait_until(lambda: answers(self.port) and self._serves(), what="PostgreSQL")

    def stop(self) -> None:
        """Stop it at once, connections and all."""
        if self._process is not None:
            stop(self._process, signal.SIGINT, within_s=20)
            self._process = None

    def remove(self) -> None:
        """Stop it and delete its files."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self, *, like: str = "template1") -> str:
        """Make a database; its SQLAlchemy URL.

        Args:
            like: name or URL of the one to copy, with which nobody may be connected; by default an empty one.
        """
        self._made += 1
        name = f"test_{self._made}"
        asyncio.run(self._execute(f"CREATE DATABASE {name} TEMPLATE {like.rpartition('/')[2]}"))
        return self._url(name)

    def _serves(self) -> bool:
        try:
            asyncio.run(self._execute("SELECT 1"))
        except Exception:  # noqa: BLE001 - it has many ways to say that it is still starting
            return False
        return True

    async def _execute(self, sql: str) -> None:
        engine = create_async_engine(self._url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(sql))

    def _url(self, database: str) -> str:
        return f"postgresql+asyncpg://{_USER}:{self._password}@127.0.0.1:{self.port}/{database}"


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("there is neither a user postgres nor nobody")
