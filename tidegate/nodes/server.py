"""Serve the calls over gRPC, to a client that shows a certificate of our own authority and to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc

from tidegate.errors import TidegateError
from tidegate.nodes.certificates import Pair
from tidegate.nodes.service import CloudProvider, handler

_CALLS = 4
"""Calls at a time; the autoscaler makes one after the other."""


def serve(provider: CloudProvider, address: str, authority: str, server: Pair) -> tuple[grpc.Server, int]:
    """Start to answer at `address` and return the server and its port.

    Args:
        provider: what answers.
        address: IP address and port, `172.18.0.1:0` for any free one.
        authority: certificate of the authority that signed the client's, PEM text.
        server: the server's own.

    Raises:
        TidegateError: the address cannot be used.
    """
    credentials = grpc.ssl_server_credentials(
        [(server.key.encode(), server.certificate.encode())],
        root_certificates=authority.encode(),
        require_client_auth=True,
    )
    # With SO_REUSEPORT two servers could share the port unnoticed, each with half of the calls.
    started = grpc.server(
        ThreadPoolExecutor(_CALLS, thread_name_prefix="call"), options=[("grpc.so_reuseport", 0)]
    )
    started.add_generic_rpc_handlers((handler(provider),))
    try:
        port = started.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise TidegateError(f"nothing can listen at {address}: {error}") from error
    started.start()
    return started, port
