"""The one SQLite file of a tablet, flushed at each commit."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


class Disk:
    """The file and what is said in it of the tablet itself. Safe for use from several threads."""

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
