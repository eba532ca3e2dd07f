"""A tablet without a line: what a collector does all day, kept on the disk at once."""

import datetime as dt
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from fieldsync.client.canonical import new_id
from fieldsync.client.known_time import KnownTime
from fieldsync.client.overlay import overlaid
from fieldsync.client.session import Entry, Session
from fieldsync.client.store import Store

SCHEMA_VERSION = 2


def wall_clock() -> dt.datetime:
    """Return the device's own idea of the time."""
    return dt.datetime.now(dt.UTC)


class Notebook:
    """The offline half of a `fieldsync.client.Tablet`: its disk, and all that is written there."""

    def __init__(
        self,
        folder: Path,
        *,
        schema_version: int = SCHEMA_VERSION,
        clock: Callable[[], dt.datetime] = wall_clock,
        make_id: Callable[[], UUID] = new_id,
    ) -> None:
        self.folder = folder
        (folder / "photos").mkdir(parents=True, exist_ok=True)
        self.schema_version, self.clock, self.make_id = schema_version, clock, make_id
        self.store = Store(folder / "tablet.sqlite3")
        self.time = KnownTime(self.store, lambda: self.clock())  # noqa: PLW0108  it may be set later
        self.session = Session(self.store, self.time)

    def begin_entry(self) -> Entry:
        """Open a form: what is recorded with it may be finished also when the grant ends meanwhile.

        Raises
        ------
        WorkRefused
            Sign in first.
        """
        return self.session.begin_entry()

    def cards(self, package_id: str) -> dict[str, Any]:
        """Return the record cards of a package as the server last gave them, by property id."""
        return self.store.records(package_id, "card")

    def patch_card(self, property_id: str, changes: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Note what was found to be otherwise; ``base`` is what this tablet shows now.

        The base of a second change to a field is the first one's value, so offline chains merge.
        """
        fields = self.shown_fields(property_id)
        body = {
            "kind": "card.patch",
            "entity_id": property_id,
            "changes": {name: {"base": fields.get(name), "new": new} for name, new in changes.items()},
        }
        return self.record(body, **more)

    def shown_fields(self, property_id: str) -> dict[str, Any]:
        """Return a card's fields as the collector sees them: the server's, under one's own work that has not come back."""
        card = self.store.find_record("card", property_id) or {}
        return overlaid(card, self.store.shown(property_id))

    def create_inspection(
        self,
        property_id: str,
        *,
        observations: dict[str, Any] | None = None,
        entry: Entry | None = None,
        **data: Any,
    ) -> str:
        """Record a visit and by path what was seen at it; returns its id. ``data`` is that of the mutation."""
        inspection_id = str(self.make_id())
        self.record(
            {
                "kind": "inspection.create",
                "entity_id": inspection_id,
                "data": {"property_id": property_id, **data},
                "changes": observations or {},
            },
            entry=entry,
        )
        return inspection_id

    def take_photo(
        self,
        content: bytes,
        *,
        mime: str = "image/jpeg",
        photo_id: str | None = None,
        entry: Entry | None = None,
        **data: Any,
    ) -> str:
        """Keep a photo and declare it; the hash is taken now, of the very bytes that will be sent.

        ``position`` is ``{"lat": "41.38", "lon": "-72.90", "accuracy_m": "4", "heading_deg": "270"}``.
        """
        entry = entry or self.begin_entry()
        photo_id = photo_id or str(self.make_id())
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / "photos" / photo_id
        _write_safely(path, content)
        facts = {"sha256": sha256, "bytes": len(content), "mime": mime, "taken_at": self._now()}
        with self.store.transaction():
            self.store.add_photo(photo_id, sha256, len(content), mime, path)
            self.record(
                {"kind": "photo.declare", "entity_id": photo_id, "data": {**facts, **data}}, entry=entry
            )
        return photo_id

    def record(self, body: dict[str, Any], *, entry: Entry | None = None, **more: Any) -> dict[str, Any]:
        """Put one mutation in the outbox."""
        return self.record_many([{**body, **more}], entry=entry)[0]

    def record_many(
        self, bodies: Iterable[dict[str, Any]], *, entry: Entry | None = None
    ) -> list[dict[str, Any]]:
        """Put several mutations in the outbox in one transaction.

        Parameters
        ----------
        entry
            The form that they come from, opened while its author might; without it, it is opened now.

        Raises
        ------
        WorkRefused
            Nobody may enter work now. Nothing was written.
        """
        entry = entry or self.begin_entry()
        now = self._now()
        author = {"actor_id": entry.actor_id} if entry.actor_id else {}
        made = (
            {
                "mutation_id": str(self.make_id()),
                "captured_at": now,
                "schema_version": self.schema_version,
                **author,
                **body,
            }
            for body in bodies
        )
        return self.store.add_mutations(made, session_id=entry.session_id)

    def queue_state(self) -> dict[str, Any]:
        """Return how much is unsent, since when, and how full the disk is: the office watches it."""
        pending, oldest = self.store.backlog()
        photos = self.store.photos("waiting")
        age_s = (self.clock() - dt.datetime.fromisoformat(oldest)).total_seconds() if oldest else None
        disk = shutil.disk_usage(self.folder)
        return {
            "pending": pending,
            "photos": len(photos),
            "bytes": sum(photo["bytes"] for photo in photos),
            "oldest_age_s": max(0, round(age_s)) if age_s is not None else None,
            "persisted": True,
            "quota_used": round(disk.used / disk.total, 3),
        }

    @property
    def actor_id(self) -> str | None:
        """The person who is signed in on the tablet, or None: then it is who carries it."""
        current = self.session.current
        return current["person"]["id"] if current else None

    def _now(self) -> str:
        return self.clock().isoformat(timespec="milliseconds")


def _write_safely(path: Path, content: bytes) -> None:
    """Write a file so that after a power cut it is there whole or not at all."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
