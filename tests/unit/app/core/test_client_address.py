from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.client_address import client_address, limiter_key, parse_networks

TRUSTED = parse_networks("10.244.0.0/16, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.244.1.5", "", "10.244.1.5"),
        ("10.244.1.5", "198.51.100.1", "198.51.100.1"),
        ("10.244.1.5", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.244.1.5", "192.0.2.66, 198.51.100.1, 10.244.2.2", "198.51.100.1"),
        ("10.244.1.5", "10.244.3.3, 10.244.2.2", "10.244.3.3"),
        ("10.244.1.5", "192.0.2.66, nonsense", "10.244.1.5"),
        ("10.244.1.5", "192.0.2.66,,", "10.244.1.5"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        (None, "198.51.100.1", "local"),
    ],
)
def test_only_what_a_trusted_proxy_says_counts(peer: str | None, forwarded: str, found: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == found


@given(st.text(max_size=60))
def test_a_caller_cannot_choose_its_address(forged: str) -> None:
    assert client_address("203.0.113.9", forged, TRUSTED) == "203.0.113.9"
    # Behind the proxy, which appended the truth, neither.
    assert client_address("10.244.1.5", f"{forged},203.0.113.9", TRUSTED) == "203.0.113.9"


def test_an_ipv6_client_is_its_network() -> None:
    assert limiter_key("2001:db8:1:2:3:4:5:6") == limiter_key("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert limiter_key("2001:db8:1:3::9") != limiter_key("2001:db8:1:2::9")
    assert limiter_key("::ffff:198.51.100.1") == limiter_key("198.51.100.1") == "198.51.100.1"
    assert limiter_key("local") == "local"


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        parse_networks("10.0.0.0/8,nonsense")
