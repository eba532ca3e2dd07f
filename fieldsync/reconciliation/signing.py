"""Signing statements, and checking them anywhere with the server's public key alone.

Plain Python without Django, so that whoever holds a statement can check it years later, offline.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VERSION = "s1"


class BadStatement(ValueError):
    """The text is no statement, was altered, or was signed by somebody else."""


def sign(facts: Mapping[str, Any], key: Ed25519PrivateKey) -> str:
    """Return ``s1.<facts>.<Ed25519 signature>``; the facts are JSON, both parts unpadded base64url."""
    stated = {**facts, "key": key_id(key.public_key())}
    body = json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()
    return ".".join([VERSION, _encode(body), _encode(key.sign(body))])


def verify(token: str, key: Ed25519PublicKey) -> dict[str, Any]:
    """Return the facts of a statement that this key signed.

    Raises
    ------
    BadStatement
    """
    try:
        version, body, signature = token.strip().split(".")
        raw = _decode(body)
        key.verify(_decode(signature), raw)
        facts = json.loads(raw)
    except InvalidSignature as error:
        raise BadStatement(
            "The signature does not fit: it was altered, or another server signed it."
        ) from error
    except (ValueError, binascii.Error) as error:
        raise BadStatement("This is not a statement.") from error
    if version != VERSION or not isinstance(facts, dict):
        raise BadStatement(f"This is not a statement of version {VERSION}.")
    return facts


def spell_key(key: Ed25519PublicKey) -> str:
    """Return a public key as PEM."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def read_key(pem: str) -> Ed25519PublicKey:
    """Return the public key in a PEM text.

    Raises
    ------
    BadStatement
    """
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadStatement("This is not a public key in PEM.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadStatement("This is not an Ed25519 key.")
    return key


def key_id(key: Ed25519PublicKey) -> str:
    """Return the first 16 digits of the SHA-256 of a key, by which a statement names it."""
    raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return hashlib.sha256(raw).hexdigest()[:16]


def _encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _decode(part: str) -> bytes:
    return base64.b64decode(part.encode() + b"=" * (-len(part) % 4), altchars=b"-_", validate=True)
