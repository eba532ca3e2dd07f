"""Enrolment codes, proofs by the device's key, short tokens: all of trust that needs no database."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

# Crockford's base 32: no I, L, O or U, so that a code read aloud or copied by hand survives.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_SECRET_LENGTH = 12
CODE_CONFUSED = str.maketrans({"I": "1", "L": "1", "O": "0"})
TOKEN_LIFE_S = 15 * 60
NONCE_LIFE_S = 120
SIGNATURE_BYTES = 64


class BadCode(ValueError):
    """What was typed cannot be an enrolment code."""


class BadKey(ValueError):
    """What was sent as a public key is not one on P-256."""


class BadToken(ValueError):
    """A token or nonce is altered, of another kind, or past its time."""


@dataclass(frozen=True, slots=True)
class TypedCode:
    """An enrolment code as a person types it: the town's number, then the secret."""

    town_code: int
    secret: str

    def spelled(self) -> str:
        """Return the code as it is shown: ``053-7K3M-9QXF-2HTP``."""
        quads = [self.secret[i : i + 4] for i in range(0, len(self.secret), 4)]
        return "-".join([f"{self.town_code:03d}", *quads])

    def digest(self) -> bytes:
        """Return what the server keeps. 60 random bits need no slow hash."""
        return hashlib.sha256(f"{self.town_code}:{self.secret}".encode()).digest()


def make_code(town_code: int, pick: Callable[[str], str]) -> TypedCode:
    """Return a new code for a town; ``pick`` draws one character at random (``secrets.choice``)."""
    return TypedCode(town_code, "".join(pick(CODE_ALPHABET) for _ in range(CODE_SECRET_LENGTH)))


def read_code(typed: str) -> TypedCode:
    """Return the code in what a person typed, forgiving case, blanks, dashes and I/L/O.

    Raises
    ------
    BadCode
        It is not three digits and twelve characters.
    """
    plain = "".join(typed.upper().split()).replace("-", "").translate(CODE_CONFUSED)
    town, secret = plain[:3], plain[3:]
    if not (town.isascii() and town.isdigit()) or len(secret) != CODE_SECRET_LENGTH:
        raise BadCode("an enrolment code is three digits and twelve letters or digits")
    if any(letter not in CODE_ALPHABET for letter in secret):
        raise BadCode("an enrolment code has only digits and letters other than I, L, O and U")
    return TypedCode(int(town), secret)


def b64(value: bytes) -> str:
    """Return bytes as unpadded base64url."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return the bytes of unpadded base64url; raises ``ValueError`` on anything else."""
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64url") from error


def read_public_key(spki: str) -> ec.EllipticCurvePublicKey:
    """Return the P-256 key in a base64url SubjectPublicKeyInfo, as WebCrypto exports it.

    Raises
    ------
    BadKey
        Another curve, another kind of key, or no key.
    """
    try:
        key = serialization.load_der_public_key(unb64(spki))
    except ValueError as error:
        raise BadKey("the public key is not a DER SubjectPublicKeyInfo") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadKey("the public key is not on the curve P-256")
    return key


def enrolment_message(code: TypedCode, spki: str) -> bytes:
    """Return what a new device signs, to show that it holds the key it enrols."""
    return f"grandlist-enrol\n{code.spelled()}\n{spki}".encode()


def token_message(device_id: UUID, nonce: str) -> bytes:
    """Return what a device signs to be given a token."""
    return f"grandlist-token\n{device_id}\n{nonce}".encode()


def is_signed_by(spki: str, message: bytes, signature: str) -> bool:
    """Say whether ``signature`` (r and s of 32 bytes each, as WebCrypto makes it) is over ``message``."""
    try:
        raw = unb64(signature)
    except ValueError:
        return False
    if len(raw) != SIGNATURE_BYTES:
        return False
    half = SIGNATURE_BYTES // 2
    der = encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
    try:
        read_public_key(spki).verify(der, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class DeviceToken:
    """Who holds a token or nonce, and until when (seconds since 1970)."""

    device_id: UUID
    town_code: int
    expires_s: int


def seal_token(kind: str, token: DeviceToken, key: bytes, salt: str = "") -> str:
    """Return ``token`` as text that only the holder of ``key`` can make; ``kind`` keeps uses apart.

    ``salt`` makes two of the same second two different ones, as nonces must be.
    """
    body = b64(json.dumps([token.device_id.hex, token.town_code, token.expires_s, salt]).encode())
    return f"{kind}.{body}.{b64(_mac(kind, body, key))}"


def open_token(kind: str, text: str, key: bytes, now_s: float) -> DeviceToken:
    """Return what a sealed token says.

    Raises
    ------
    BadToken
        It was made with another key, for another use, or its time is over.
    """
    try:
        head, body, mac = text.split(".")
        if head != kind or not hmac.compare_digest(unb64(mac), _mac(kind, body, key)):
            raise BadToken("altered or of another kind")
        device, town, expires, *_ = json.loads(unb64(body))
        token = DeviceToken(UUID(device), int(town), int(expires))
    except (ValueError, TypeError, AttributeError) as error:
        raise BadToken("unreadable") from error
    if token.expires_s <= now_s:
        raise BadToken("past its time")
    return token


def _mac(kind: str, body: str, key: bytes) -> bytes:
    return hmac.digest(key, f"{kind}.{body}".encode(), "sha256")


def is_older(version: str, least: str) -> bool:
    """Say whether an app's version is below another. What cannot be read is not: it is no reason to stop anyone."""
    try:
        return _numbers(version) < _numbers(least)
    except ValueError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    """Return ``1.10.2`` as numbers, without trailing zeros and without a suffix such as ``-beta``."""
    numbers = [int(part) for part in version.partition("-")[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def nonce_digest(nonce: str) -> str:
    """Return by what a nonce is known to have been spent."""
    return hashlib.sha256(nonce.encode()).hexdigest()


def clock_offset_ms(client_ms: float, server_ms: float) -> int:
    """Return how far the device's clock is ahead of ours (negative: behind). It never gates anything."""
    return round(client_ms - server_ms)
