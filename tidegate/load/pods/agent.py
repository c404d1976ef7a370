"""What a generator's pod runs: Locust, and beside it a small server that gives out what is recorded.

    python -m tidegate.load.pods.agent --bind ADDRESS --port PORT --patience-s SECONDS -- LOCUST'S WORDS

The pod's disk goes with the pod, so whoever follows the load asks for the record while it grows. The pod
stays until it is told that all of it came through. An agent that nobody asks for a while ends: the tool that
started it is gone, and a load that nobody watches must not go on.

| question | answer |
|---|---|
| `GET /clock` | the time |
| `GET /state?from=N` | how Locust does, and the segments from the N-th on, in the order they appeared |
| `GET /file?path=P&from=B` | bytes of a file, with their sha256 |
| `POST /stop` | ends the load as Ctrl-C would |
| `POST /release` | ends the pod |

The standard library alone, in a process of its own: it takes no time from the event loop that is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tidegate.errors import TidegateError
from tidegate.load.handover import PARENT_VARIABLE, RUN_VARIABLE, run_folder
from tidegate.run.format import METRICS_DIR, NOTES_FILE, ORDERS_FILE, REQUESTS_DIR, SEGMENT_SUFFIX

LOG_FILE = "locust.log"
GROWING = (ORDERS_FILE, NOTES_FILE, LOG_FILE)
"""Files that are appended to. Segments appear whole and never change."""
DIGEST_HEADER = "X-Content-SHA256"
PIECE_BYTES = 4 * 1024 * 1024
"""Most of a file in one answer."""
_TICK_S = 0.1
_END_S = 20.0
"""Seconds Locust has to write what it has when the pod is to end."""
_SAID_BYTES = 4096
EXIT_ALONE = 4
"""Exit code of an agent that nobody asked any more."""


class Agent:
    """Locust and its record.

    Args:
        record: folder to record into; made with what is in it.
        words: Locust's arguments.
        patience_s: seconds without a question after which it ends.
    """

    def __init__(self, record: Path, words: Sequence[str], patience_s: float) -> None:
        self._record = record
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._segments: list[str] = []
        self._known: set[str] = set()
        self._asked_s = time.monotonic()
        self._released = threading.Event()
        for folder in (REQUESTS_DIR, METRICS_DIR):
            (record / folder).mkdir(parents=True, exist_ok=True)
        with (record / LOG_FILE).open("ab") as log:
            self._locust = subprocess.Popen(
                [sys.executable, "-m", "locust", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, PARENT_VARIABLE: str(os.getpid())},
                process_group=0,
            )

    def attend(self) -> int:
        """Wait until the pod may go; return its exit code: Locust's, or `EXIT_ALONE`."""
        try:
            while not self._released.wait(_TICK_S):
                self._locust.poll()
                if time.monotonic() - self._asked_s > self._patience_s:
                    return EXIT_ALONE
        finally:
            self._end()
        return self._locust.returncode

    def asked(self) -> None:
        """Take note that somebody follows."""
        self._asked_s = time.monotonic()

    def state(self, first: int) -> dict[str, Any]:
        """Return how Locust does, and the segments from the number `first` on with their sizes."""
        with self._lock:
            # Asked before the files are listed: once it has ended, nothing is added.
            exit_status = self._locust.poll()
            fresh = {
                f"{folder}/{path.name}"
                for folder in (REQUESTS_DIR, METRICS_DIR)
                for path in (self._record / folder).glob(f"*{SEGMENT_SUFFIX}")
            } - self._known
            self._known |= fresh
            self._segments += sorted(fresh)
            listed = self._segments[first:]
        sizes = {name: self._size(name) for name in GROWING}
        return {
            "exit_status": exit_status,
            "said": self._said(),
            "segments": [[name, self._size(name)] for name in listed],
            "growing": {name: size for name, size in sizes.items() if size},
        }

    def piece(self, name: str, begin: int) -> bytes | None:
        """Return bytes of a file of the record from `begin` on; None when it is no such file."""
        if name not in GROWING and name not in self._known:
            return None
        try:
            with (self._record / name).open("rb") as file:
                file.seek(begin)
                return file.read(PIECE_BYTES)
        except FileNotFoundError:
            return None  # nothing was written to it yet

    def stop(self) -> None:
        """End the load: users finish the request they are in."""
        with contextlib.suppress(ProcessLookupError):
            self._locust.send_signal(signal.SIGINT)

    def release(self) -> None:
        """Let the pod end."""
        self._released.set()

    def _size(self, name: str) -> int:
        try:
            return (self._record / name).stat().st_size
        except FileNotFoundError:
            return 0

    def _said(self) -> str:
        """Return the last line of Locust's log."""
        size = self._size(LOG_FILE)
        with (self._record / LOG_FILE).open("rb") as file:
            file.seek(max(0, size - _SAID_BYTES))
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _end(self) -> None:
        if self._locust.poll() is not None:
            return
        self._locust.send_signal(signal.SIGTERM)
        try:
            self._locust.wait(_END_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._locust.pid, signal.SIGKILL)
            self._locust.wait()


class _Handler(BaseHTTPRequestHandler):
    """Answers about one agent."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True  # the body would wait for the header's acknowledgement
    agent: Agent

    def do_GET(self) -> None:
        """Tell the state, or give a piece of a file."""
        self.agent.asked()
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        begin = asked.get("from", "0")
        if url.path == "/clock":
            # By itself and at once, for what lies between question and answer is taken for the network's.
            self._answer(HTTPStatus.OK, json.dumps({"time_s": time.time()}).encode())
        elif not begin.isdecimal():
            self._answer(HTTPStatus.BAD_REQUEST)
        elif url.path == "/state":
            self._answer(HTTPStatus.OK, json.dumps(self.agent.state(int(begin))).encode())
        elif url.path == "/file":
            piece = self.agent.piece(asked.get("path", ""), int(begin))
            self._answer(HTTPStatus.NOT_FOUND if piece is None else HTTPStatus.OK, piece or b"")
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Stop the load, or let the pod go."""
        self.agent.asked()
        action = {"/stop": self.agent.stop, "/release": self.agent.release}.get(urlsplit(self.path).path)
        self._answer(HTTPStatus.NOT_FOUND if action is None else HTTPStatus.OK)
        if action is not None:
            action()

    def _answer(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header(DIGEST_HEADER, hashlib.sha256(body).hexdigest())
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each question."""


def _ended(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def run(record: Path, words: Sequence[str], *, bind: str, port: int, patience_s: float) -> int:
    """Run Locust with `words` and answer questions at `bind` until the pod may go; return its exit code.

    Raises:
        TidegateError: the address cannot be bound.
    """
    try:
        server = ThreadingHTTPServer((bind, port), _Handler)
    except OSError as error:
        raise TidegateError(f"cannot listen: {error.strerror}", where=f"{bind}:{port}") from error
    server.daemon_threads = True
    # The pod's first process gets no default action for signals: without this a deletion would wait in vain.
    signal.signal(signal.SIGTERM, _ended)
    with server:
        agent = _Handler.agent = Agent(record, words, patience_s)
        threading.Thread(target=server.serve_forever, name="answers", daemon=True).start()
        try:
            return agent.attend()
        except KeyboardInterrupt:
            return 128 + signal.SIGTERM
        finally:
            server.shutdown()


def _record() -> Path:
    folder = run_folder()
    if folder is None:
        raise TidegateError("no folder to record into", cure=f"set {RUN_VARIABLE}")
    return folder


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="agent", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bind", required=True, help="Address to answer at.")
    parser.add_argument("--port", type=int, required=True, help="Port to answer at.")
    parser.add_argument("--patience-s", type=float, required=True, help="Seconds without a question.")
    parser.add_argument("words", nargs="+", help="Locust's own arguments, after --.")
    options = parser.parse_args()
    try:
        status = run(
            _record(), options.words, bind=options.bind, port=options.port, patience_s=options.patience_s
        )
    except TidegateError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(3)
    sys.exit(status)


if __name__ == "__main__":
    main()
