"""The keys that seal and sign, encrypted with age to the people who may restore."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pyrage
from django.conf import settings

from assessment.project.backup.errors import BackupRefused, RestoreRefused

SECRET_KEY_NAME = "secrets/django-secret-key"  # noqa: S105  a file's name


def read_recipients(stated: list[str]) -> list[pyrage.x25519.Recipient]:
    """Parse ``age1…`` recipients.

    Raises
    ------
    BackupRefused
        One is not an age recipient.
    """
    recipients = []
    for text in stated:
        try:
            recipients.append(pyrage.x25519.Recipient.from_str(text.strip()))
        except pyrage.RecipientError as trouble:
            raise BackupRefused(
                f"{text!r} is no age recipient: it begins with age1 and is made with `manage.py backup --new-identity FILE`.",
                recipient=text,
            ) from trouble
    return recipients


def seal_keys(recipients: list[pyrage.x25519.Recipient]) -> tuple[bytes, list[str]]:
    """Pack and encrypt every key of this server; return the bytes and the names in them."""
    packed, names = io.BytesIO(), []
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in sorted(_keys().items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
            names.append(name)
    return pyrage.encrypt(packed.getvalue(), recipients), names


def open_keys(sealed: bytes, identity_text: str) -> dict[str, bytes]:
    """Decrypt the keys of a backup with the text of an age identity file.

    Raises
    ------
    RestoreRefused
        The file holds no identity, or one that the backup is not encrypted to.
    """
    lines = [line.strip() for line in identity_text.splitlines()]
    try:
        identities = [
            pyrage.x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-SECRET-KEY-")
        ]
    except pyrage.IdentityError as trouble:
        raise RestoreRefused("The identity file is damaged.") from trouble
    if not identities:
        raise RestoreRefused("The identity file holds no line that begins with AGE-SECRET-KEY-.")
    try:
        packed = pyrage.decrypt(sealed, identities)
    except pyrage.DecryptError as trouble:
        raise RestoreRefused("The keys in this backup are encrypted to somebody else.") from trouble
    found = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                found[entry.name] = file.read()
    return found


def put_keys(keys: dict[str, bytes]) -> None:
    """Write restored keys to their places, readable by their owner only.

    Raises
    ------
    RestoreRefused
        A different key is in use here.
    """
    for name, content in keys.items():
        path = _place_of(name)
        if path.exists() and path.read_bytes() != content and name != SECRET_KEY_NAME:
            raise RestoreRefused(f"{path} exists and is a different key: move it away first.")
    for name, content in keys.items():
        path = _place_of(name)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def make_identity(path: Path) -> str:
    """Write a new age identity to a file (0600) and return its recipient.

    Raises
    ------
    BackupRefused
        The file exists.
    """
    identity = pyrage.x25519.Identity.generate()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BackupRefused(f"{path} exists; an identity is never overwritten.") from None
    with os.fdopen(descriptor, "w") as file:
        file.write(f"# recipient: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def _folders() -> dict[str, Path]:
    return {"keys": Path(settings.SEALING_KEYS_DIR), "tls": Path(settings.VAR_DIR) / "tls"}


def _keys() -> dict[str, bytes]:
    found = {SECRET_KEY_NAME: settings.SECRET_KEY.encode()}
    for prefix, folder in _folders().items():
        if folder.is_dir():
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    found[f"{prefix}/{path.relative_to(folder)}"] = path.read_bytes()
    return found


def _place_of(name: str) -> Path:
    prefix, _, rest = name.partition("/")
    parts = Path(rest).parts
    if not parts or ".." in parts or Path(rest).is_absolute():
        raise RestoreRefused(f"The backup names a key {name!r} outside of its folders.")
    if name == SECRET_KEY_NAME:
        return Path(settings.VAR_DIR) / "secrets" / "django-secret-key"
    folders = _folders()
    if prefix not in folders:
        raise RestoreRefused(f"The backup names a key {name!r} of no known kind.")
    return folders[prefix].joinpath(*parts)
