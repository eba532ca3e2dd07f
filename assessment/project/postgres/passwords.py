"""The generated passwords of the local roles, in `var/secrets`, readable by the checkout's owner only."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from assessment.project.postgres.errors import LauncherError
from assessment.project.postgres.roles import SIGN_IN_ROLES


def read_passwords(path: Path) -> dict[str, str] | None:
    """The passwords by role, or None when none were generated yet.

    Raises
    ------
    LauncherError
        ``postgres-passwords-unreadable`` when the file is another user's or damaged.
    """
    try:
        passwords = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (PermissionError, ValueError) as trouble:
        raise LauncherError(
            "postgres-passwords-unreadable", f"Cannot read the database passwords in {path}: {trouble}"
        ) from trouble
    return {role: str(passwords[role]) for role in SIGN_IN_ROLES if role in passwords}


def make_passwords(path: Path) -> dict[str, str]:
    """Generate and store a password for each role that may sign in; the file appears whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = {role: secrets.token_urlsafe(24) for role in SIGN_IN_ROLES}
    unfinished = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(passwords, file)
    unfinished.replace(path)
    return passwords
