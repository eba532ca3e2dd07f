"""A local certificate authority for tablets on the network, where the town has no certificate yet.

Browsers give service workers, the camera and the private file system to secure origins only. The authority's
key stays in `var/tls` (0600); its certificate is what tablets are told to trust.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Apple refuses server certificates that are valid for more than 398 days.
LEAF_DAYS = 397
RENEW_BEFORE = dt.timedelta(days=30)
AUTHORITY_DAYS = 3650


@dataclass(frozen=True)
class Certificate:
    """Paths of a certificate (with its chain) and its key; `authority` when we made it ourselves."""

    certificate: Path
    key: Path
    authority: Path | None = None


def own_names() -> list[str]:
    """Names and addresses by which this machine can be asked for, loopback first."""
    names = ["localhost", "127.0.0.1", "::1"]
    host = socket.gethostname().lower()
    names += [host, f"{host}.local"]
    fully_qualified = socket.getfqdn().lower()
    if fully_qualified:
        names.append(fully_qualified)
    names += network_addresses()
    return list(dict.fromkeys(name for name in names if _is_usable(name)))


def network_addresses() -> list[str]:
    """IPv4 addresses of this machine, the one of the default route first; no packet is sent."""
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found.append(probe.getsockname()[0])
        except OSError:
            pass
    with contextlib.suppress(OSError):
        found += [
            str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        ]
    return list(dict.fromkeys(address for address in found if not address.startswith(("127.", "0."))))


def ensure_certificate(folder: Path, names: list[str], *, now: dt.datetime) -> Certificate:
    """Return a certificate for the names, signed by the folder's authority; made or renewed where needed.

    The authority is kept, so that tablets that trust it go on trusting it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, authority_key = _ensure_authority(folder, now)
    leaf, key = folder / "server.crt", folder / "server.key"
    if not _is_good(leaf, key, names, authority, now):
        _make_leaf(leaf, key, names, authority, authority_key, now)
    return Certificate(leaf, key, folder / "ca.crt")


def _ensure_authority(folder: Path, now: dt.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    certificate_path, key_path = folder / "ca.crt", folder / "ca.key"
    if certificate_path.exists() and key_path.exists():
        certificate = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        key = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        if (
            isinstance(key, ec.EllipticCurvePrivateKey)
            and certificate.not_valid_after_utc > now + RENEW_BEFORE
        ):
            return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Grandlist"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Grandlist on {socket.gethostname()}"[:64]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write_private(key_path, _pem(key))
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _make_leaf(
    path: Path,
    key_path: Path,
    names: list[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Grandlist")]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=LEAF_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    _write_private(key_path, _pem(key))
    chain = (certificate, authority)
    path.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))


def _is_good(
    path: Path, key_path: Path, names: list[str], authority: x509.Certificate, now: dt.datetime
) -> bool:
    if not (path.exists() and key_path.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    if certificate.not_valid_after_utc < now + RENEW_BEFORE:
        return False
    stated = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return {_general_name(name) for name in names} <= set(stated)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_usable(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and all(
            label and len(label) <= 63 and label.replace("-", "").isalnum() and label.isascii()
            for label in name.split(".")
        )
    return True


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
