"""What a tablet keeps on its disk: its records, its outbox, its photos, in one SQLite file.

An entry leaves the outbox only by a final result that names its id, so a lost answer, a crash or a
server that forgot costs nothing: it is sent again, and the server answers as it did the first time.
"""

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from fieldsync.client.canonical import checksum, content_hash

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
  device_seq INTEGER PRIMARY KEY, mutation_id TEXT UNIQUE NOT NULL, entity_id TEXT NOT NULL,
  property_id TEXT NOT NULL DEFAULT '', body TEXT NOT NULL, status TEXT NOT NULL DEFAULT 'waiting',
  result TEXT, shown INTEGER NOT NULL DEFAULT 2, session_id TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS outbox_waiting ON outbox (status, device_seq);
CREATE INDEX IF NOT EXISTS outbox_entity ON outbox (entity_id, device_seq);
CREATE INDEX IF NOT EXISTS outbox_shown ON outbox (property_id, device_seq) WHERE shown > 0;
CREATE TABLE IF NOT EXISTS photo (
  photo_id TEXT PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, mime TEXT NOT NULL,
  path TEXT NOT NULL, url TEXT, state TEXT NOT NULL DEFAULT 'waiting');
CREATE TABLE IF NOT EXISTS package (
  package_id TEXT PRIMARY KEY, cursor TEXT NOT NULL, manifest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS record (
  package_id TEXT NOT NULL, kind TEXT NOT NULL, record_id TEXT NOT NULL, data TEXT NOT NULL,
  hash TEXT NOT NULL, PRIMARY KEY (package_id, kind, record_id));
CREATE TABLE IF NOT EXISTS person_grant (
  session_id TEXT PRIMARY KEY, person_id TEXT NOT NULL, text TEXT NOT NULL, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS stated (id TEXT PRIMARY KEY, at TEXT NOT NULL);
"""
GRANTS_UNUSED_MOST = 5
UNFINISHED = ("waiting", "held")
# What a mutation does to the view until its effect has been pulled: shown; to leave with the next delta; gone.
SHOWN, LEAVING, GONE = 2, 1, 0


class Store:
    """The tablet's disk. Safe for use from several threads; each method is one transaction."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.executescript(_SCHEMA)
        if "session_id" not in {row[1] for row in self._db.execute("PRAGMA table_info(outbox)")}:
            self._db.execute("ALTER TABLE outbox ADD COLUMN session_id TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run several writes as one; nested use joins the outer one."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def get(self, name: str) -> str | None:
        """Return a setting, or None."""
        with self._lock:
            row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def set(self, **values: str) -> None:
        """Keep settings."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def add_mutations(
        self, bodies: Iterable[dict[str, Any]], *, session_id: str = ""
    ) -> list[dict[str, Any]]:
        """Give each mutation the next ``device_seq`` and keep it; returns them as they will be sent.

        ``session_id`` is that in which they were made, or empty: by who carries the tablet.
        """
        kept = []
        with self.transaction() as db:
            for seq, body in enumerate(bodies, start=self.last_seq() + 1):
                body = {**body, "device_seq": seq}
                db.execute(
                    "INSERT INTO outbox (device_seq, mutation_id, entity_id, property_id, body, session_id) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        seq,
                        body["mutation_id"],
                        body["entity_id"],
                        _property_of(body),
                        json.dumps(body),
                        session_id,
                    ),
                )
                kept.append(body)
        return kept

    def keep_grant(self, session_id: str, person_id: str, text: str) -> None:
        """Keep a grant, and forget older ones by which nothing was made that is still here."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO person_grant "
                "SELECT ?, ?, ?, coalesce(max(number), 0) + 1 FROM person_grant",
                (session_id, person_id, text),
            )
            # A form that is open still needs the grant under which it was opened: a few stay in any case.
            db.execute(
                "DELETE FROM person_grant WHERE session_id NOT IN (SELECT session_id FROM outbox) "
                "AND number <= (SELECT max(number) FROM person_grant) - ?",
                (GRANTS_UNUSED_MOST,),
            )

    def grants_of(self, mutation_ids: Iterable[str]) -> list[str]:
        """Return the grants of the sessions in which mutations were made, the newest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT text FROM person_grant WHERE session_id IN (SELECT session_id FROM outbox "
                "WHERE mutation_id IN (SELECT value FROM json_each(?))) ORDER BY number DESC",
                (json.dumps(list(mutation_ids)),),
            ).fetchall()
        return [row[0] for row in rows]

    def unfinished(self, limit: int = 200, after: int = 0) -> list[dict[str, Any]]:
        """Return mutations without a final result, in order, from behind ``after``."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM outbox WHERE status IN (?, ?) AND device_seq > ? "
                "ORDER BY device_seq LIMIT ?",
                (*UNFINISHED, after, limit),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def backlog(self) -> tuple[int, str | None]:
        """Return how many mutations have no final result, and when the oldest was captured."""
        with self._lock:
            return tuple(
                self._db.execute(
                    "SELECT count(*), min(json_extract(body, '$.captured_at')) FROM outbox WHERE status IN (?, ?)",
                    UNFINISHED,
                ).fetchone()
            )

    def finish(self, results: Iterable[dict[str, Any]]) -> None:
        """Keep the results; what is final is not sent again."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE outbox SET status = ?, result = ? WHERE mutation_id = ?",
                [(r["status"], json.dumps(r), r["mutation_id"]) for r in results],
            )

    def shown(self, property_id: str) -> list[dict[str, Any]]:
        """Return the mutations of a property whose effect no pull has brought back yet, in order."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM outbox WHERE property_id = ? AND shown > 0 ORDER BY device_seq",
                (property_id,),
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def bodies_of(self, entity_id: str) -> list[dict[str, Any]]:
        """Return all mutations of an entity, as they were or will be sent."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM outbox WHERE entity_id = ? ORDER BY device_seq", (entity_id,)
            ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def begin_pull(self) -> None:
        """Note which mutations are final by now: what the server is asked for next holds their effect."""
        with self.transaction() as db:
            db.execute(
                "UPDATE outbox SET shown = ? WHERE shown = ? AND status NOT IN (?, ?)",
                (LEAVING, SHOWN, *UNFINISHED),
            )

    def end_pull(self, package_id: str) -> None:
        """Take from the view what was final before the pull of this package began."""
        with self.transaction() as db:
            db.execute(
                "UPDATE outbox SET shown = ? WHERE shown = ? AND (property_id NOT IN (SELECT record_id FROM record) "
                "OR property_id IN (SELECT record_id FROM record WHERE package_id = ?))",
                (GONE, LEAVING, package_id),
            )

    def count_unfinished(self) -> int:
        """Return how many mutations have no final result."""
        with self._lock:
            row = self._db.execute(
                "SELECT count(*) FROM outbox WHERE status IN (?, ?)", UNFINISHED
            ).fetchone()
        return int(row[0])

    def results(self) -> dict[str, dict[str, Any]]:
        """Return every result so far by mutation id."""
        with self._lock:
            rows = self._db.execute("SELECT mutation_id, result FROM outbox WHERE result NOT NULL").fetchall()
        return {row[0]: json.loads(row[1]) for row in rows}

    def resend(self, spans: Iterable[tuple[int, int]]) -> int:
        """Put mutations back in the queue: a server restored from a backup lacks them. Returns how many."""
        count = 0
        with self.transaction() as db:
            for first, last in spans:
                count += db.execute(
                    "UPDATE outbox SET status = 'waiting', shown = ? WHERE device_seq BETWEEN ? AND ?",
                    (SHOWN, first, last),
                ).rowcount
        return count

    def spans(self) -> list[list[int]]:
        """Return the ``device_seq`` of all mutations held, as spans of the first and the last."""
        with self._lock:
            numbers = [row[0] for row in self._db.execute("SELECT device_seq FROM outbox ORDER BY 1")]
        spans: list[list[int]] = []
        for number in numbers:
            if spans and spans[-1][1] == number - 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        return spans

    def last_seq(self) -> int:
        """Return the highest ``device_seq`` ever given, also before a wipe."""
        with self._lock:
            held = self._db.execute("SELECT coalesce(max(device_seq), 0) FROM outbox").fetchone()[0]
            return max(int(held), self._last(self._db))

    def let_go(self, now: str, before: str) -> list[Path]:
        """Note what a complete statement covers, and forget what one has covered since ``before``.

        Both are the server's times in UTC, ISO 8601: a tablet's own clock must not decide what is deleted.
        Only what is final goes, of properties that are in no package here any more, photos with their
        declaration. Returns the photos' files, which the caller removes.
        """
        with self.transaction() as db:
            db.execute(
                "DELETE FROM stated WHERE id IN (SELECT mutation_id FROM outbox WHERE status IN (?, ?))",
                UNFINISHED,
            )
            db.execute(
                "DELETE FROM stated WHERE id IN (SELECT photo_id FROM photo WHERE state <> 'received')"
            )
            db.execute(
                "INSERT OR IGNORE INTO stated SELECT mutation_id, ? FROM outbox WHERE status NOT IN (?, ?) "
                "UNION SELECT photo_id, ? FROM photo WHERE state = 'received'",
                (now, *UNFINISHED, now),
            )
            self._keep_last(db)
            db.execute(
                "DELETE FROM outbox WHERE mutation_id IN (SELECT id FROM stated WHERE at < ?) "
                "AND property_id NOT IN (SELECT record_id FROM record) AND NOT EXISTS (SELECT 1 FROM photo p "
                "WHERE p.photo_id = entity_id AND p.photo_id NOT IN (SELECT id FROM stated WHERE at < ?))",
                (before, before),
            )
            gone = (
                "photo_id IN (SELECT id FROM stated WHERE at < ?) "
                "AND photo_id NOT IN (SELECT entity_id FROM outbox)"
            )
            paths = db.execute(f"SELECT path FROM photo WHERE {gone}", (before,)).fetchall()  # noqa: S608  above
            db.execute(f"DELETE FROM photo WHERE {gone}", (before,))  # noqa: S608  above
            db.execute(
                "DELETE FROM stated WHERE id NOT IN (SELECT mutation_id FROM outbox) "
                "AND id NOT IN (SELECT photo_id FROM photo)"
            )
        return [Path(row[0]) for row in paths]

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

    def replace_package(self, manifest: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
        """Take a package whole, in one transaction: there is no half of a package."""
        package_id = manifest["package_id"]
        with self.transaction() as db:
            db.execute("DELETE FROM record WHERE package_id = ?", (package_id,))
            for record in records:
                self.put_record(package_id, record["kind"], record["id"], record["data"])
            db.execute(
                "INSERT OR REPLACE INTO package VALUES (?, ?, ?)",
                (package_id, manifest["cursor"], json.dumps(manifest)),
            )

    def apply_changes(
        self,
        package_id: str,
        changes: Iterable[dict[str, Any]],
        cursor: str,
        patches: Iterable[dict[str, Any]] = (),
    ) -> None:
        """Apply a whole delta, in the order of its numbers, and move the cursor in one transaction.

        A patch of a record that is not here changes nothing; the checksum then tells.
        """
        steps = list(changes)
        for group in patches:
            for seq, record_id, *values in group["rows"]:
                patch = dict(zip(group["paths"], values, strict=True))
                steps.append(
                    {"seq": seq, "op": "patch", "kind": group["kind"], "id": record_id, "data": patch}
                )
        with self.transaction() as db:
            for change in sorted(steps, key=lambda change: int(change["seq"])):
                if change["op"] == "put":
                    self.put_record(package_id, change["kind"], change["id"], change["data"])
                elif change["op"] == "patch":
                    record = self.find_in_package(package_id, change["kind"], change["id"])
                    with suppress(LookupError, TypeError):  # no such record or place here
                        self.put_record(
                            package_id, change["kind"], change["id"], patched(record, change["data"])
                        )
                else:
                    db.execute(
                        "DELETE FROM record WHERE package_id = ? AND kind = ? AND record_id = ?",
                        (package_id, change["kind"], change["id"]),
                    )
            db.execute("UPDATE package SET cursor = ? WHERE package_id = ?", (cursor, package_id))

    def put_record(self, package_id: str, kind: str, record_id: str, data: Any) -> None:
        """Keep one record with its content hash."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)",
                (
                    package_id,
                    kind,
                    record_id,
                    json.dumps(data),
                    f"{content_hash(kind, record_id, data):016x}",
                ),
            )

    def packages(self) -> dict[str, str]:
        """Return the cursor of each package held."""
        with self._lock:
            return dict(self._db.execute("SELECT package_id, cursor FROM package").fetchall())

    def wipe(self) -> None:
        """Forget everything but who this device is and the last number it gave."""
        with self.transaction() as db:
            self._keep_last(db)
            for table in ("outbox", "photo", "package", "record", "stated", "person_grant"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608  the names above
            db.execute("DELETE FROM meta WHERE name = 'session'")
        with self._lock:
            self._db.execute("VACUUM")

    def _keep_last(self, db: sqlite3.Connection) -> None:
        """Keep the highest number given, before the entries that show it go."""
        last = db.execute("SELECT coalesce(max(device_seq), 0) FROM outbox").fetchone()[0]
        db.execute("INSERT OR REPLACE INTO meta VALUES ('last_seq', ?)", (str(max(last, self._last(db))),))

    @staticmethod
    def _last(db: sqlite3.Connection) -> int:
        row = db.execute("SELECT value FROM meta WHERE name = 'last_seq'").fetchone()
        return int(row[0]) if row else 0

    def drop_package(self, package_id: str) -> None:
        """Forget a package that was taken back or closed; the outbox keeps what was done for it."""
        with self.transaction() as db:
            db.execute("DELETE FROM record WHERE package_id = ?", (package_id,))
            db.execute("DELETE FROM package WHERE package_id = ?", (package_id,))

    def manifest(self, package_id: str) -> dict[str, Any]:
        """Return the manifest that a package was taken by."""
        with self._lock:
            row = self._db.execute(
                "SELECT manifest FROM package WHERE package_id = ?", (package_id,)
            ).fetchone()
        manifest: dict[str, Any] = json.loads(row[0])
        return manifest

    def records(self, package_id: str, kind: str) -> dict[str, Any]:
        """Return the records of one kind by id."""
        with self._lock:
            rows = self._db.execute(
                "SELECT record_id, data FROM record WHERE package_id = ? AND kind = ?", (package_id, kind)
            ).fetchall()
        return {row[0]: json.loads(row[1]) for row in rows}

    def find_record(self, kind: str, record_id: str) -> Any:
        """Return a record from whichever package holds it, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT data FROM record WHERE kind = ? AND record_id = ? LIMIT 1", (kind, record_id)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def find_in_package(self, package_id: str, kind: str, record_id: str) -> Any:
        """Return a record of one package, or None."""
        with self._lock:
            row = self._db.execute(
                "SELECT data FROM record WHERE package_id = ? AND kind = ? AND record_id = ?",
                (package_id, kind, record_id),
            ).fetchone()
        return json.loads(row[0]) if row else None

    def checksum(self, package_id: str) -> tuple[int, str]:
        """Return how many records a package has and their checksum, always from the rows themselves."""
        with self._lock:
            rows = self._db.execute("SELECT hash FROM record WHERE package_id = ?", (package_id,)).fetchall()
        return len(rows), checksum(int(row[0], 16) for row in rows)


def patched(record: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return a card with new values at paths: ``version``, ``property/<field>``, ``<kind>/<place>/<field>``."""
    for path, value in patch.items():
        *way, last = path.split("/")
        target: Any = record
        for step in way:
            target = target[int(step)] if isinstance(target, list) else target[step]
        target[last] = value
    return record


def _property_of(body: dict[str, Any]) -> str:
    """Return the property whose card a mutation is about, or the empty string."""
    if body.get("kind") == "card.patch":
        return str(body["entity_id"])
    data = body.get("data")
    return str(data.get("property_id") or "") if isinstance(data, dict) else ""
