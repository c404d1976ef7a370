from __future__ import annotations

import ipaddress

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtendedKeyUsageOID

from tidegate.nodes.certificates import Bundle, Pair, bundle


@pytest.fixture(scope="module")
def made() -> Bundle:
    return bundle(["172.18.0.1", "nodes.example"], days=30)


def _read(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_server_is_good_for_its_names_and_for_nothing_else(made: Bundle) -> None:
    server = _read(made.server.certificate)
    names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("172.18.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["nodes.example"]
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_client_cannot_pose_as_the_server(made: Bundle) -> None:
    usage = _read(made.client.certificate).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


@pytest.mark.parametrize("of", ["server", "client"])
def test_both_are_signed_by_this_authority_and_no_other(made: Bundle, of: str) -> None:
    pair: Pair = getattr(made, of)
    _read(pair.certificate).verify_directly_issued_by(_read(made.authority))
    with pytest.raises(InvalidSignature):
        _read(pair.certificate).verify_directly_issued_by(_read(bundle([]).authority))


def test_only_the_authority_may_sign(made: Bundle) -> None:
    def may_sign(pem: str) -> bool:
        return _read(pem).extensions.get_extension_for_class(x509.BasicConstraints).value.ca

    assert may_sign(made.authority)
    assert not may_sign(made.server.certificate)
    assert not may_sign(made.client.certificate)


def test_they_hold_as_long_as_asked(made: Bundle) -> None:
    server = _read(made.server.certificate)
    assert (server.not_valid_after_utc - server.not_valid_before_utc).days == 30
