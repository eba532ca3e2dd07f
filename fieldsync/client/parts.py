"""Fetching the parts of a package: kept as they come, gone on with where they broke off, verified."""

import hashlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import httpx

from fieldsync.client.transport import ATTEMPTS, ProblemAnswer, Transport


class PackageDamaged(Exception):
    """A part or a package does not have the hash that its manifest states; nothing was changed."""


class PartStore:
    """The folder of parts. A part that a package shares with an older build is not fetched again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def fetch(self, transport: Transport, part: dict[str, Any], *, attempts: int = ATTEMPTS) -> bytes:
        """Return the bytes of a part.

        Raises
        ------
        PackageDamaged
            All of it came and it is not what the manifest names; what came is thrown away.
        httpx.TransportError, ProblemAnswer
            The line broke too often. What came is kept for the next time.
        """
        path = self.folder / part["sha256"]
        for attempt in range(attempts):
            have = path.stat().st_size if path.exists() else 0
            if have >= part["bytes"]:
                break
            try:
                self._go_on(transport, part["sha256"], path, have)
            except httpx.TransportError:
                if attempt + 1 == attempts:
                    raise
                transport.pause(attempt)
            except ProblemAnswer as problem:
                if problem.retry not in ("after", "reauth") or attempt + 1 == attempts:
                    raise
                transport.pause(attempt, problem.retry_after_s)
        content = path.read_bytes() if path.exists() else b""
        if hashlib.sha256(content).hexdigest() != part["sha256"]:
            path.unlink(missing_ok=True)
            raise PackageDamaged(f"part {part['kind']} does not have the hash {part['sha256']}")
        return content

    def keep_only(self, hashes: Collection[str]) -> None:
        """Remove the parts that no package names any more."""
        for path in self.folder.iterdir():
            if path.name not in hashes:
                path.unlink()

    @staticmethod
    def _go_on(transport: Transport, sha256: str, path: Path, have: int) -> None:
        headers = {"Range": f"bytes={have}-"} if have else {}
        with (
            transport.stream(f"blobs/{sha256}", headers=headers) as answer,
            path.open("ab" if answer.status_code == 206 else "wb") as file,
        ):
            for chunk in answer.iter_raw():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
