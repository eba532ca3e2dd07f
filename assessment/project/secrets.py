"""Secrets that the product makes for itself, once, and keeps in ``var/secrets`` (mode 0600)."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def read_or_make_secret(var_dir: Path, name: str) -> str:
    """Return the secret ``name``, made on first use.

    The file is linked into place in one step, so of two processes that start at once both return the
    same secret.
    """
    folder = var_dir / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            draft.unlink()
    return path.read_text().strip()
