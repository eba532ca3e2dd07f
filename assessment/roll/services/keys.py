"""The town's signing key: Ed25519, made on first use, kept outside PostgreSQL (mode 0600) and in the backup."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings


def key_path(town_code: int) -> Path:
    """Return where the town's signing key is kept."""
    return Path(settings.SEALING_KEYS_DIR) / f"sign-{town_code:04d}.pem"


def find_signing_key(town_code: int) -> Ed25519PrivateKey | None:
    """Return the town's signing key, or None when the town has never signed on this machine."""
    path = key_path(town_code)
    if not path.exists():
        return None
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path.name} is no Ed25519 key")
    return key


def get_or_make_signing_key(town_code: int) -> Ed25519PrivateKey:
    """Return the town's signing key, made now if there is none; of two at once both return the same."""
    path = key_path(town_code)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(
                Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            )
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # in one step, and never over a key that another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = find_signing_key(town_code)
    if key is None:
        raise FileNotFoundError(path)
    return key


def public_hex(key: Ed25519PrivateKey) -> str:
    """Return the public half as 64 hexadecimal digits."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def signature_holds(public_key: str, signature: str, message: bytes) -> bool:
    """Say whether `signature` (hex) of `message` was made by the key whose public half is given (hex)."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(
            bytes.fromhex(signature), message
        )
    except (InvalidSignature, ValueError):
        return False
    return True
