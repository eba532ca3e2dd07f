"""Reading what the server signed, without the server: ``<version>.<facts>.<Ed25519 signature>``."""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key


class NotSigned(ValueError):
    """The text is not of this kind, was altered, or was signed by somebody else."""


def open_signed(version: str, text: str, key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the facts that were signed.

    Raises
    ------
    NotSigned
    """
    try:
        stated, body, signature = text.split(".")
        raw = unb64(body)
        key.verify(unb64(signature), raw)
        facts = json.loads(raw)
    except (InvalidSignature, ValueError) as error:
        raise NotSigned("the signature does not fit") from error
    if stated != version or not isinstance(facts, dict):
        raise NotSigned(f"not of the kind {version}")
    return facts


def read_raw_key(text: str) -> Ed25519PublicKey:
    """Return a public key from base64url, as the policy gives that of grants; raises `NotSigned`."""
    try:
        return Ed25519PublicKey.from_public_bytes(unb64(text))
    except ValueError as error:
        raise NotSigned("no public key") from error


def read_pem_key(text: str) -> Ed25519PublicKey:
    """Return a public key from PEM, as ``/statement-key`` gives it; raises `NotSigned`."""
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotSigned("no public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NotSigned("no Ed25519 key")
    return key


def unb64(text: str) -> bytes:
    """Return the bytes of unpadded base64url; raises ``ValueError`` on anything else."""
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64url") from error
