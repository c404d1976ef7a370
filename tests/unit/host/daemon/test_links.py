from __future__ import annotations

import ipaddress
import json
from pathlib import Path

from tidegate.host.daemon.links import network_bridges, parse_bridges

LINKS: list[dict[str, object]] = [
    {"ifname": "lo", "linkinfo": {}, "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
    {"ifname": "eth0", "addr_info": []},
    {},
    {
        "ifname": "docker0",
        "linkinfo": {"info_kind": "bridge", "info_data": {"stp_state": 0}},
        "addr_info": [{"local": "172.17.0.1", "prefixlen": 16}, {"local": "fe80::1", "prefixlen": 64}],
    },
    {"ifname": "veth0", "linkinfo": {"info_kind": "veth", "info_slave_kind": "bridge"}, "addr_info": []},
]


def test_reads_bridges_with_their_networks() -> None:
    found = parse_bridges(json.dumps(LINKS))
    assert list(found) == ["docker0"]
    assert found["docker0"].networks == (
        ipaddress.ip_network("172.17.0.0/16"),
        ipaddress.ip_network("fe80::/64"),
    )
    assert parse_bridges("") == {}


def test_finds_network_bridges_in_the_engines_database(tmp_path: Path) -> None:
    database = tmp_path / "network/files/local-kv.db"
    database.parent.mkdir(parents=True)
    one, two = "6ca63db5148a" + "0" * 52, "0123456789ab" + "f" * 52
    database.write_bytes(
        b"\x00junk\xff docker/network/v1.0/bridge/" + one.encode() + b'/\x00{"ID":1}'
        b"docker/network/v1.0/" + two.encode() + b"/ docker/network/v1.0/endpoint_count/short/"
    )
    assert network_bridges(tmp_path) == {"br-6ca63db5148a", "br-0123456789ab"}
    assert network_bridges(tmp_path / "absent") == set()
