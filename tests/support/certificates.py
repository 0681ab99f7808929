"""Certificates that sign themselves, and those of an authority of one's own: nobody trusts one unless told to."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def self_signed(folder: Path, *, address: str = "127.0.0.1", days: float = 1) -> tuple[str, str]:
    """The files of a certificate for this address and its key; good for so many days from now, or until so many ago."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=99))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM
    (folder / "c.pem").write_bytes(certificate.public_bytes(form))
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "k.pem").write_bytes(private)
    return str(folder / "c.pem"), str(folder / "k.pem")


def issued(folder: Path, name: str, *, days: float = 40) -> tuple[str, tuple[str, str]]:
    """The file of a fresh authority, and the files of a certificate for this name that it issued, with its key."""
    root, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The company's own authority")])
    now, form = datetime.now(UTC), serialization.Encoding.PEM
    both = x509.CertificateBuilder().issuer_name(authority).not_valid_before(now - timedelta(days=99))
    ca = (
        both.subject_name(authority)
        .public_key(root.public_key())
        .serial_number(1)
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(root, hashes.SHA256())
    )
    leaf = (
        both.subject_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(2)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        .sign(root, hashes.SHA256())
    )
    files = {"ca": ca.public_bytes(form), "leaf": leaf.public_bytes(form)}
    files["key"] = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for what, content in files.items():
        (folder / f"{what}.pem").write_bytes(content)
    return str(folder / "ca.pem"), (str(folder / "leaf.pem"), str(folder / "key.pem"))
