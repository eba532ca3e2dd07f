"""The device's key on P-256: made on the device, never sent, signs a nonce for each token."""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64(value: bytes) -> str:
    """Return unpadded base64url."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class DeviceKey:
    """A private key kept in a file that only its owner may read."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private

    @classmethod
    def load_or_make(cls, path: Path) -> "DeviceKey":
        """Return the key in ``path``, made there on first use."""
        if path.exists():
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError(f"{path} does not hold a P-256 key")
            return cls(key)
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return cls(private)

    @property
    def spki(self) -> str:
        """The public key as the wire has it: base64url of its DER SubjectPublicKeyInfo."""
        return b64(
            self._private.public_key().public_bytes(
                serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def sign(self, message: bytes) -> str:
        """Return r and s, 32 bytes each, as WebCrypto spells a signature."""
        r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(hashes.SHA256())))
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
