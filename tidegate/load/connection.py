"""One connection that carries one request at a time, each tried once, each bounded in time.

Where a client waits by itself it asks the loop for every read anew, and for a timer beside it. Here both are
the connection's: the loop calls when there is something to read, and the timer is set again only when it
fires. That a server has closed a connection that lay idle is so known at once, and nothing is sent on it.
"""

# gevent types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import select
import ssl
import time
from typing import Any

import gevent
from gevent import get_hub
from gevent.hub import Waiter
from gevent.monkey import get_original
from gevent.ssl import SSLSocket
from geventhttpclient.connectionpool import ConnectionPool
from geventhttpclient.response import HTTPConnectionClosed

from tidegate.load.answer import FAILURES, Message

_READABLE = 1
_BLOCK_BYTES = 65_536
_LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """A connection that is opened when it is needed, and again when the server has closed it.

    Args:
        opener: makes sockets, connected and with TLS where the host wants it.
        timeout_s: bound of a whole request: to connect, to send, to wait, to read.
    """

    def __init__(self, opener: ConnectionPool, timeout_s: float) -> None:
        self._opener, self._timeout_s = opener, timeout_s
        self._loop = get_hub().loop
        self._waiter = Waiter()
        self._socket: Any = None
        self._poll: Any = None
        self._watcher: Any = None
        self._message: Message | None = None
        """The answer that is waited for."""
        self._ends_s = 0.0
        self._timer: Any = None

    def exchange(self, request: bytes, message: Message) -> None:
        """Send `request` and feed its answer to `message`, until that is complete.

        Raises:
            TimeoutError: it was not complete after `timeout_s`.
            HTTPConnectionClosed: the server closed the connection instead of answering.
            HTTPParseError: what came is no answer, or not all of one.
            OSError: no connection, or it broke.
            RuntimeError: another request is under way.
        """
        if self._message is not None:
            raise RuntimeError("a connection carries one request at a time")
        self._ends_s = time.monotonic() + self._timeout_s
        if self._socket is not None and self._poll.poll(0):
            self._read()  # most often: it was closed, and the loop has not come to tell
        if self._socket is None:
            self._open()
        waiter = self._waiter
        waiter.clear()
        self._message = message
        if self._timer is None:
            self._watch_time(self._timeout_s)
        try:
            self._send(request)
            waiter.get()
        finally:
            self._message = None
            if not message.complete or not message.keeps_alive:
                self._drop()

    def close(self) -> None:
        """Close; the next request opens it again. The loop holds an open one: it never closes by itself."""
        self._drop()
        if self._timer is not None:
            self._timer.close()
            self._timer = None

    def _drop(self) -> None:
        if self._socket is None:
            return
        self._watcher.stop()
        self._watcher.close()
        self._opener.release_socket(self._socket)
        self._socket = self._watcher = self._poll = None

    def _open(self) -> None:
        with gevent.Timeout(self._timeout_s, TimeoutError("not connected in time")):
            made = self._opener.get_socket()
        made.settimeout(0.0)
        number = made.fileno()
        self._socket, self._watcher = made, self._loop.io(number, _READABLE)
        # gevent's own select asks the loop; this asks the system, which knows earlier.
        self._poll = get_original("select", "poll")()
        self._poll.register(number, select.POLLIN)
        self._watcher.start(self._read)

    def _send(self, request: bytes) -> None:
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        except (BrokenPipeError, ConnectionResetError):
            return  # it may have answered before it closed, and else the reader finds out
        if sent < len(request):
            self._send_rest(request[sent:])

    def _send_rest(self, rest: bytes) -> None:
        # The reader must not be called meanwhile: with a time-out a read waits, and the loop cannot.
        self._watcher.stop()
        self._socket.settimeout(max(0.001, self._ends_s - time.monotonic()))
        try:
            self._socket.sendall(rest)
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            self._socket.settimeout(0.0)
            self._watcher.start(self._read)

    def _read(self) -> None:
        """Take what there is to read; called by the loop."""
        message = self._message
        try:
            data = self._socket.recv(_BLOCK_BYTES)
            if message is None:
                self._drop()  # closed by the server, or it says what nobody asked for
                return
            if not data and not message.begun:
                raise HTTPConnectionClosed("connection closed.")
            message.take(data)
            while not message.complete and isinstance(self._socket, SSLSocket):
                message.take(self._socket.recv(_BLOCK_BYTES))  # TLS may hold more than the system shows
        except _LATER:
            return
        except FAILURES as error:
            self._failed(error)
            return
        if message.complete:
            self._message = None
            self._waiter.switch(None)

    def _failed(self, error: BaseException) -> None:
        message, self._message = self._message, None
        self._watcher.stop()
        if message is None:
            self._drop()
            return
        if isinstance(error, ConnectionResetError) and not message.begun:
            error = HTTPConnectionClosed("connection closed.")
        self._waiter.throw(error)

    def _watch_time(self, seconds: float) -> None:
        self._timer = self._loop.timer(seconds)
        self._timer.start(self._check_time)

    def _check_time(self) -> None:
        """End a request that has had its time; called by the loop."""
        self._timer.close()
        self._timer = None
        if self._message is None:
            return
        left_s = self._ends_s - time.monotonic()
        if left_s > 0:
            self._watch_time(left_s)
        else:
            self._message = None
            self._waiter.throw(TimeoutError("not answered in time"))
