"""The server's keys for tokens, nonces, receipts and statements, each drawn from the one secret key.

They come back with the secret key that a backup carries, so receipts given before a restore still hold.
"""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@cache
def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=b"grandlist-fieldsync", info=purpose.encode()).derive(
        secret.encode()
    )


def key_for(purpose: str) -> bytes:
    """Return the 32-byte key for ``purpose``; keys of different purposes tell nothing of each other."""
    return _derive(settings.SECRET_KEY, purpose)


@cache
def _grant_key(raw: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(raw)


def grant_key() -> Ed25519PrivateKey:
    """Return the key that signs offline grants; tablets hold its public half."""
    return _grant_key(key_for("grant"))


def statement_key() -> Ed25519PrivateKey:
    """Return the key that signs end-of-day statements; its public half may be given to anyone."""
    return Ed25519PrivateKey.from_private_bytes(key_for("statement"))
