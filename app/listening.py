"""The listening socket, which may be there long before anything can answer.

A startup probe that is refused comes again a second later, and is an event and a write to the API server each
time; hundreds of them are a good part of what it costs to start many pods at once. One that is taken by the
backlog waits instead, and has its answer the moment there is one. So the process takes its address before it
imports anything, and hands the socket to the server afterwards.
"""

from __future__ import annotations

import os
import socket

_BACKLOG = 1024
_early: dict[tuple[str, int], socket.socket] = {}


def listen_early(host_variable: str, port_variable: str) -> None:
    """Listen at the address that two environment variables name, if they do and it can be had.

    What is wrong with them, or with the address, is for the settings and for `bind` to say.
    """
    host, port = os.environ.get(host_variable, ""), os.environ.get(port_variable, "")
    if not host or not port.isascii() or not port.isdigit() or port == "0" or int(port) > 65535:
        return
    try:
        listener = _bound(host, int(port))
    except OSError:
        return
    listener.listen(_BACKLOG)
    _early[host, int(port)] = listener


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything else is done, so that a taken port is one line and not a half start.

    Returns:
        The socket of `listen_early`, the first time it is asked for; else a new one, bound and not listening.

    Raises:
        BindError: someone else listens there, or the address is not this machine's.
    """
    early = _early.pop((host, port), None)
    if early is not None:
        return early
    try:
        return _bound(host, port)
    except OSError as error:
        from app.core.exceptions import BindError

        raise BindError(f"cannot listen on {host}:{port}: {error.strerror}") from None


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio's own loop spares connections the wait for acknowledgements (TCP_NODELAY)
    # only where it is named, and else each answer in two parts takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
