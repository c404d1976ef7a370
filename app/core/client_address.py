"""Who is at the other end, behind proxies that are trusted and no others."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read networks in CIDR form with commas between.

    Raises:
        ValueError: one of them is none.
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(peer: str | None, forwarded_for: str, trusted: Sequence[Network]) -> str:
    """The nearest address that is not a trusted proxy's.

    Each proxy appends whom it heard from, so the list is read from its end, and only for as long as the
    one who wrote the entry is trusted: what stands before is the caller's own word.

    Args:
        peer: address of the connection's other end; None on a local socket.
        forwarded_for: `X-Forwarded-For`, all its lines joined by commas.
    """
    nearest = peer or "local"
    for given in reversed([part.strip() for part in forwarded_for.split(",")] if forwarded_for else []):
        if not _trusted(nearest, trusted):
            break
        try:
            nearest = str(ip_address(given))
        except ValueError:
            break
    return nearest


def limiter_key(address: str) -> str:
    """The address as budgets know it: an IPv6 client holds a /64, and could spend each address of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed, 64), strict=False))
    return address


def _trusted(address: str, networks: Sequence[Network]) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
