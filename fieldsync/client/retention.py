"""What a tablet may remove from its disk, and when: never what the server has not signed for."""

import json
from collections.abc import Iterable
from pathlib import Path

from fieldsync.client.album import Album
from fieldsync.client.outbox import UNFINISHED, Outbox


class Retention(Outbox, Album):
    """The part of the store that forgets."""

    def note_stated(
        self, at: str, epoch: str, spans: Iterable[tuple[int, int]], photo_hashes: Iterable[str]
    ) -> None:
        """Note from when on the server has signed that it has these.

        What is not final any more, as when a restored server asked for it again, begins anew; and all does
        after a restore: what was signed before it was signed by a server that is no more.

        Parameters
        ----------
        at
            The time in the statement, UTC, ISO 8601 with microseconds.
        epoch
            The server's epoch in the statement; another one since the last is a restored server.
        spans
            The numbers of the mutations that it has.
        photo_hashes
            The photos whose bytes it has.
        """
        with self.transaction() as db:
            if self.get("stated_epoch") != epoch:
                db.execute("DELETE FROM stated")
                self.set(stated_epoch=epoch)
            db.execute(
                "DELETE FROM stated WHERE id IN (SELECT mutation_id FROM outbox WHERE status IN (?, ?)) "
                "OR id IN (SELECT photo_id FROM photo WHERE state = 'waiting')",
                UNFINISHED,
            )
            db.execute(
                "INSERT OR IGNORE INTO stated SELECT mutation_id, ? FROM outbox "
                "WHERE status NOT IN (?, ?) AND result NOT NULL "
                "AND device_seq IN (SELECT value FROM json_each(?))",
                (at, *UNFINISHED, _numbers(spans)),
            )
            db.execute(
                "INSERT OR IGNORE INTO stated SELECT photo_id, ? FROM photo "
                "WHERE state = 'received' AND sha256 IN (SELECT value FROM json_each(?))",
                (at, json.dumps(list(photo_hashes))),
            )

    def let_go(
        self, before: str, spans: Iterable[tuple[int, int]], photo_hashes: Iterable[str]
    ) -> list[Path]:
        """Forget what was first stated before a time and is stated still, of properties in no package here.

        ``before`` is of the server's clock: a tablet's own must not decide what is deleted. A mutation goes
        when it is final; a photo with its declaration, its row only by `forget_photos`, when the files are
        gone. Returns the files of all photos that are leaving, also of an earlier time that was cut short.
        """
        with self.transaction() as db:
            self._keep_last(db)
            ripe = json.dumps(
                [
                    row[0]
                    for row in db.execute(
                        "SELECT photo_id FROM photo WHERE state = 'received' "
                        "AND photo_id IN (SELECT id FROM stated WHERE at < ?) "
                        "AND sha256 IN (SELECT value FROM json_each(?))",
                        (before, json.dumps(list(photo_hashes))),
                    )
                ]
            )
            db.execute(
                "DELETE FROM outbox WHERE mutation_id IN (SELECT id FROM stated WHERE at < ?) "
                "AND status NOT IN (?, ?) AND result NOT NULL "
                "AND device_seq IN (SELECT value FROM json_each(?)) "
                "AND property_id NOT IN (SELECT record_id FROM record) "
                "AND NOT EXISTS (SELECT 1 FROM photo WHERE photo_id = entity_id AND state <> 'leaving' "
                "AND photo_id NOT IN (SELECT value FROM json_each(?)))",
                (before, *UNFINISHED, _numbers(spans), ripe),
            )
            db.execute(
                "UPDATE photo SET state = 'leaving' WHERE photo_id IN (SELECT value FROM json_each(?)) "
                "AND photo_id NOT IN (SELECT entity_id FROM outbox)",
                (ripe,),
            )
            rows = db.execute("SELECT path FROM photo WHERE state = 'leaving'").fetchall()
            db.execute(
                "DELETE FROM stated WHERE id NOT IN (SELECT mutation_id FROM outbox) "
                "AND id NOT IN (SELECT photo_id FROM photo WHERE state <> 'leaving')"
            )
        return [Path(row[0]) for row in rows]

    def forget_photos(self) -> None:
        """Forget the photos whose files were removed."""
        with self.transaction() as db:
            db.execute("DELETE FROM photo WHERE state = 'leaving'")

    def wipe(self) -> None:
        """Forget everything but who this device is and the last number it gave."""
        with self.transaction() as db:
            self._keep_last(db)
            for table in ("outbox", "photo", "package", "record", "stated", "person_grant"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  the names above
            db.execute("DELETE FROM meta WHERE name = 'session'")
        with self._lock:
            self._db.execute("VACUUM")


def _numbers(spans: Iterable[tuple[int, int]]) -> str:
    return json.dumps([number for first, last in spans for number in range(first, last + 1)])
