"""The network bridges of an engine: which there are, which are its own, making and removing them."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter

from tidegate.proc import run

DEFAULT_BRIDGE = "docker0"
_NETWORK_KEY = re.compile(rb"docker/network/v1\.0/(?:bridge/)?([0-9a-f]{64})/")
_NETWORK_DB = Path("network/files/local-kv.db")


@dataclass(frozen=True)
class Bridge:
    """A bridge and the networks its addresses belong to."""

    name: str
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()


class _Address(BaseModel):
    local: str = ""
    prefixlen: int = 0


class _LinkInfo(BaseModel):
    info_kind: str = ""


class _Link(BaseModel):
    ifname: str = ""
    linkinfo: _LinkInfo = Field(default_factory=_LinkInfo)
    addr_info: list[_Address] = Field(default_factory=list[_Address])


_LINKS = TypeAdapter(list[_Link])


def parse_bridges(text: str) -> dict[str, Bridge]:
    """The bridges in the output of `ip -j -d address show`, by name."""
    found: dict[str, Bridge] = {}
    for link in _LINKS.validate_json(text or "[]"):
        if link.linkinfo.info_kind == "bridge":
            networks = tuple(
                ipaddress.ip_interface(f"{each.local}/{each.prefixlen}").network
                for each in link.addr_info
                if each.local
            )
            found[link.ifname] = Bridge(link.ifname, networks)
    return found


def bridges() -> dict[str, Bridge]:
    """The bridges of this machine, by name."""
    return parse_bridges(run(["ip", "-j", "-d", "address", "show"], timeout_s=10).stdout)


def network_bridges(data: Path) -> set[str]:
    """Names of the bridges that an engine with this data root has made for its networks.

    They are read from the engine's own database, so that they are known when the engine has crashed: a
    network's bridge is `br-` and the first 12 digits of its identity. Networks long gone may be among them.
    """
    try:
        raw = (data / _NETWORK_DB).read_bytes()
    except OSError:
        return set()
    return {"br-" + match.decode()[:12] for match in _NETWORK_KEY.findall(raw)}


def make_bridge(name: str, address: str) -> None:
    """Make a bridge with this address (with prefix length) and switch it on; one that exists is kept.

    Raises:
        TidegateError: the kernel refused.
    """
    if name not in bridges():
        run(["ip", "link", "add", "name", name, "type", "bridge"], timeout_s=10)
    run(["ip", "address", "replace", address, "dev", name], timeout_s=10)
    run(["ip", "link", "set", name, "up"], timeout_s=10)


def remove_bridge(name: str) -> None:
    """Remove a bridge; an absent one is no error."""
    run(["ip", "link", "delete", name, "type", "bridge"], check=False, timeout_s=10)
