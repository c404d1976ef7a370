"""Draw keys and sign them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_HOLDS = timedelta(days=3650)
_BACKDATE = timedelta(hours=1)
"""Clocks of the machine and the nodes may differ a little."""


def draw(server_name: str) -> dict[str, str]:
    """Return, as PEM text, an authority, a server's certificate and key, and a client's.

    The authority's key is thrown away: nothing else can be signed.
    """
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    issuer = _name("tidegate faults")
    authority = (
        _draft(issuer, issuer, issuer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )

    def signed(common: str, purpose: x509.ObjectIdentifier) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _draft(_name(common), issuer, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(common)]), critical=False)
            .sign(issuer_key, hashes.SHA256())
        )
        plain = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), plain.decode()

    certificate, key = signed(server_name, ExtendedKeyUsageOID.SERVER_AUTH)
    client_certificate, client_key = signed(
        "controller-manager.chaos-mesh.org", ExtendedKeyUsageOID.CLIENT_AUTH
    )
    return {
        "authority": authority.public_bytes(serialization.Encoding.PEM).decode(),
        "certificate": certificate,
        "key": key,
        "client_certificate": client_certificate,
        "client_key": client_key,
    }


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _draft(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + _HOLDS)
    )
