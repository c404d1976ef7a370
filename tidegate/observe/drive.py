"""Start an observer beside the work, know that it sees, and stop it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tidegate.errors import TidegateError
from tidegate.run import RunWriter

LOG_FILE = "observer.log"
DEFAULT_PROMETHEUS = "observability/http:prometheus:9090"
_BEGIN_S = 60.0
_STOP_S = 15.0


class Observer:
    """An observer process for the time of a `with` block.

    Entering returns once every watch has recorded its first list. Leaving makes it write what it has. If it
    dies in between, what it wrote stays readable and the Run says so: `check` raises, leaving only notes it.

    Args:
        kubeconfig: of the cluster.
        run_dir: an existing Run folder; the observer's own output goes to `observer.log` in it.
        namespace: of the service.
        prometheus: `<namespace>/<scheme>:<name>:<port>` of Prometheus' Service, empty for none.
        sync_timeout_s: seconds the first lists may take.
        vertical: whether the stack has VerticalPodAutoscalers, to be recorded too.
    """

    def __init__(
        self,
        kubeconfig: Path,
        run_dir: Path,
        *,
        namespace: str = "tidegate",
        prometheus: str = DEFAULT_PROMETHEUS,
        sync_timeout_s: float = 30.0,
        vertical: bool = False,
    ) -> None:
        self._command = [
            *(
                sys.executable,
                "-m",
                "tidegate.observe",
                "--kubeconfig",
                str(kubeconfig),
                "--run",
                str(run_dir),
            ),
            *("--namespace", namespace, "--prometheus", prometheus),
            *("--sync-timeout", str(sync_timeout_s), "--parent", str(os.getpid())),
            *(["--vertical"] if vertical else []),
        ]
        self._run_dir = run_dir
        self._sync_timeout_s = sync_timeout_s
        self._child: subprocess.Popen[bytes] | None = None
        self._death_noted = False
        self._log_from = 0

    @property
    def pid(self) -> int | None:
        """Process id, None before the start."""
        return self._child.pid if self._child is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it sees everything.

        Raises:
            TidegateError: it ended, or did not see everything in time; the reason is its own last word.
        """
        if not self._run_dir.is_dir():
            raise TidegateError("the Run's folder is not there", where=str(self._run_dir))
        with (self._run_dir / LOG_FILE).open("ab") as log:
            self._log_from = log.tell()
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=0,  # the terminal's Ctrl-C is for the driver, which still needs eyes then
            )
        try:
            self._await_sync(self._child)
        except BaseException:
            self._end(self._child)
            raise

    def _await_sync(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        with child.stdout as pipe:
            # It keeps the time itself; this is for one that hangs before it can.
            ready, _, _ = select.select([pipe], [], [], self._sync_timeout_s + _BEGIN_S)
            line = pipe.readline() if ready else b""
        if line == b"synced\n":
            return
        if ready:
            child.wait()
        raise TidegateError(f"the observer did not begin: {self._last_word()}")

    def _last_word(self) -> str:
        """Return the last line it printed."""
        log = (self._run_dir / LOG_FILE).read_bytes()[self._log_from :]
        printed = log.decode(errors="replace").strip().splitlines()
        return printed[-1].removeprefix("error: ") if printed else "it said nothing"

    def check(self) -> None:
        """See that it still runs.

        Raises:
            TidegateError: it does not; the Run has a note.
        """
        child = self._child
        if child is None:
            raise TidegateError("the observer was not started")
        if child.poll() is not None:
            self._note_death(child)
            raise TidegateError(
                f"the observer ended by itself with exit code {child.returncode}: {self._last_word()}"
            )

    def stop(self) -> None:
        """Make it write what it has and end. Stopping twice is harmless."""
        child = self._child
        if child is None or self._death_noted:
            return
        if child.poll() is not None:
            self._note_death(child)
        else:
            self._end(child)
        self._child = None

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            child.terminate()
        try:
            child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            self._note(f"observer: did not end in {_STOP_S:g} s and was killed; its last samples are lost")
        if child.stdout is not None:
            child.stdout.close()

    def _note_death(self, child: subprocess.Popen[bytes]) -> None:
        if not self._death_noted:
            self._death_noted = True
            self._note(f"observer: ended by itself with exit code {child.returncode}; it saw nothing since")

    def _note(self, what: str) -> None:
        with RunWriter(self._run_dir) as run:
            run.note("error", what, t_s=time.time())
