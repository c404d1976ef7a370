"""The firewall rules a container engine leaves behind, found by comparing with a snapshot.

An engine adds chains with DOCKER in their names, rules in the built-in chains that jump there, and
rules that name its bridges; it removes none of them when it stops. Everything here works on the text
of `iptables-save`, and only ever deletes what was not there before.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from tidegate.host.daemon.links import Bridge

_CHAIN = re.compile(r"^:(?P<name>\S+) (?P<policy>\S+)")
_ENGINE_CHAIN = re.compile(r"^DOCKER([-_].+)?$")
_USER_CHAIN = "DOCKER-USER"
"""The chain for its users' rules, see https://docs.docker.com/engine/network/packet-filtering-firewalls/"""


@dataclass
class Table:
    """One table of the firewall: its chains, and its rules as `iptables-save` prints them."""

    chains: set[str] = field(default_factory=set[str])
    rules: list[str] = field(default_factory=list[str])


def parse_save(text: str) -> dict[str, Table]:
    """The tables in the output of `iptables-save`, by name."""
    tables: dict[str, Table] = {}
    current = Table()
    for line in text.splitlines():
        if line.startswith("*"):
            current = tables.setdefault(line[1:].strip(), Table())
        elif chain := _CHAIN.match(line):
            current.chains.add(chain["name"])
        elif line.startswith("-A "):
            current.rules.append(line)
    return tables


def leftovers(before: str, now: str, bridges: Iterable[Bridge], *, shared: bool) -> list[list[str]]:
    """What to undo, as arguments to `iptables`, in an order that works.

    Args:
        before: `iptables-save` from before the engine's start.
        now: the same after its end.
        bridges: bridges of the engine that ended.
        shared: another engine runs in this network namespace; chains are then its as much as ours, so
            only rules that name our bridges go.
    """
    old, new = parse_save(before), parse_save(now)
    known = list(bridges)
    commands: list[list[str]] = []
    for name, table in new.items():
        commands += _leftovers_of_table(name, old.get(name, Table()), table, known, shared=shared)
    return commands


def _leftovers_of_table(
    name: str, old: Table, now: Table, bridges: list[Bridge], *, shared: bool
) -> list[list[str]]:
    chains = [] if shared else sorted(c for c in now.chains - old.chains if _ENGINE_CHAIN.match(c))
    added = list((Counter(now.rules) - Counter(old.rules)).elements())
    if _USER_CHAIN in chains and _holds_users_rules(added):
        chains.remove(_USER_CHAIN)
    going = set(chains)
    rules: list[list[str]] = []
    for rule in added:
        words = shlex.split(rule)
        if words[1] in going:
            continue  # goes with its chain
        if _target(words) in going or _names_bridge(words, bridges):
            rules.append(["-t", name, "-D", *words[1:]])
    flushes = [["-t", name, "-F", chain] for chain in chains]
    deletions = [["-t", name, "-X", chain] for chain in chains]
    return rules + flushes + deletions


def _holds_users_rules(rules: Iterable[str]) -> bool:
    in_chain = [rule for rule in rules if rule.startswith(f"-A {_USER_CHAIN} ")]
    return any(rule != f"-A {_USER_CHAIN} -j RETURN" for rule in in_chain)


def _options(words: list[str]) -> Mapping[str, str]:
    return dict(pairwise(words))


def _target(words: list[str]) -> str:
    options = _options(words)
    return options.get("-j", options.get("-g", ""))


def _names_bridge(words: list[str], bridges: Iterable[Bridge]) -> bool:
    """Whether a rule is about one of the bridges: by interface, or by an address inside its network."""
    options = _options(words)
    interfaces = {options.get("-i"), options.get("-o")}
    addresses = [a for a in map(_network, (options.get("-s"), options.get("-d"))) if a is not None]
    for bridge in bridges:
        if bridge.name in interfaces:
            return True
        if interfaces == {None} and any(_inside(a, bridge) for a in addresses):
            return True
    return False


def _network(text: str | None) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return None if text is None else ipaddress.ip_network(text)
    except ValueError:
        return None


def _inside(address: ipaddress.IPv4Network | ipaddress.IPv6Network, bridge: Bridge) -> bool:
    for network in bridge.networks:
        if isinstance(address, ipaddress.IPv4Network) and isinstance(network, ipaddress.IPv4Network):
            if address.subnet_of(network):
                return True
        elif (
            isinstance(address, ipaddress.IPv6Network)
            and isinstance(network, ipaddress.IPv6Network)
            and address.subnet_of(network)
        ):
            return True
    return False
