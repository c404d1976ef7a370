"""Certificates for parts that talk to each other inside one stack: an authority and what it signs.

Made once with the stack and kept in its encrypted state; nobody outside trusts the authority. Elliptic keys
(P-256), because both ends are ours and modern.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_BACKDATE = timedelta(hours=1)
"""Clocks of a virtual machine and its containers' peers may differ a little."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM text."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Bundle:
    """All that a client and a server need to know each other.

    Args:
        authority: certificate of the authority, PEM text. Its key is thrown away: nothing else can be signed.
        server: shown by the server; good for the names given.
        client: shown by the client.
    """

    authority: str
    server: Pair
    client: Pair


def bundle(names: Sequence[str], *, days: int = 3650) -> Bundle:
    """Return new certificates.

    Args:
        names: DNS names and IP addresses under which the server is reached.
        days: how long they hold.
    """
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("tidegate authority")
    authority = (
        _draft(issuer, issuer, issuer_key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )

    def signed(common: str, purpose: x509.ObjectIdentifier, others: Sequence[str]) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        draft = (
            _draft(_name(common), issuer, key.public_key(), days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        )
        if others:
            draft = draft.add_extension(
                x509.SubjectAlternativeName([_other(each) for each in others]), critical=False
            )
        return Pair(_pem(draft.sign(issuer_key, hashes.SHA256())), _key_pem(key))

    return Bundle(
        _pem(authority),
        signed("tidegate server", ExtendedKeyUsageOID.SERVER_AUTH, names),
        signed("tidegate client", ExtendedKeyUsageOID.CLIENT_AUTH, ()),
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _draft(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + timedelta(days=days))
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _other(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
