"""The outbox: an entry leaves it only by a final result that names it."""

import json
import sqlite3
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fieldsync.client.disk import Disk

GRANTS_UNUSED_MOST = 5
UNFINISHED = ("waiting", "held")
# What a mutation does to the view until its effect has been pulled: shown; to leave with the next delta; gone.
SHOWN, LEAVING, GONE = 2, 1, 0


class Outbox(Disk):
    """What was entered, in the order of its numbers, with the results and the grants that prove its authors."""

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
                        _property_of(body) or _property_of_visit(db, body),
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
        return self.held()[0]

    def held(self) -> tuple[list[list[int]], str]:
        """Return what is claimed of all mutations held: their numbers, and the marks of their ids.

        The ``device_seq`` as spans of the first and the last; of each id the last 16 hexadecimal digits, run
        together in the order of the numbers.
        """
        with self._lock:
            rows = self._db.execute("SELECT device_seq, mutation_id FROM outbox ORDER BY 1").fetchall()
        spans: list[list[int]] = []
        for number, _ in rows:
            if spans and spans[-1][1] == number - 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        return spans, "".join(UUID(mutation_id).hex[16:] for _, mutation_id in rows)

    def last_seq(self) -> int:
        """Return the highest ``device_seq`` ever given, also before a wipe."""
        with self._lock:
            held = self._db.execute("SELECT coalesce(max(device_seq), 0) FROM outbox").fetchone()[0]
            return max(int(held), self._last(self._db))

    def _keep_last(self, db: sqlite3.Connection) -> None:
        """Keep the highest number given, before the entries that show it go."""
        last = db.execute("SELECT coalesce(max(device_seq), 0) FROM outbox").fetchone()[0]
        db.execute("INSERT OR REPLACE INTO meta VALUES ('last_seq', ?)", (str(max(last, self._last(db))),))

    @staticmethod
    def _last(db: sqlite3.Connection) -> int:
        row = db.execute("SELECT value FROM meta WHERE name = 'last_seq'").fetchone()
        return int(row[0]) if row else 0


def _property_of(body: dict[str, Any]) -> str:
    """Return the property whose card a mutation is about, or the empty string."""
    if body.get("kind") == "card.patch":
        return str(body["entity_id"])
    data = body.get("data")
    return str(data.get("property_id") or "") if isinstance(data, dict) else ""


def _property_of_visit(db: sqlite3.Connection, body: dict[str, Any]) -> str:
    """Return the property of the visit here that a photo was taken at, or the empty string."""
    data = body.get("data")
    visit = data.get("inspection_id") if isinstance(data, dict) else None
    row = db.execute(
        "SELECT property_id FROM outbox WHERE entity_id = ? LIMIT 1", (str(visit or ""),)
    ).fetchone()
    return str(row[0]) if row else ""
