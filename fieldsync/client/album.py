"""The photos: their bytes are files, their place and how far they have come are here."""

from pathlib import Path
from typing import Any

from fieldsync.client.disk import Disk


class Album(Disk):
    """Photos are ``waiting``, then ``received``; ``leaving`` when their file may go."""

    def add_photo(self, photo_id: str, sha256: str, length: int, mime: str, path: Path) -> None:
        """Keep a photo's place; its bytes stay in ``path`` until the server has given a receipt."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO photo (photo_id, sha256, bytes, mime, path) VALUES (?, ?, ?, ?, ?)",
                (photo_id, sha256, length, mime, str(path)),
            )

    def photos(self, *states: str) -> list[dict[str, Any]]:
        """Return the photos in the given states."""
        names = ("photo_id", "sha256", "bytes", "mime", "path", "url", "state")
        marks = ",".join("?" * len(states))
        with self._lock:
            rows = self._db.execute(
                f"SELECT {', '.join(names)} FROM photo WHERE state IN ({marks}) ORDER BY photo_id",  # noqa: S608
                states,
            ).fetchall()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def set_photo(self, photo_id: str, *, state: str, url: str | None) -> None:
        """Note how far the upload of a photo has come."""
        with self.transaction() as db:
            db.execute("UPDATE photo SET state = ?, url = ? WHERE photo_id = ?", (state, url, photo_id))
