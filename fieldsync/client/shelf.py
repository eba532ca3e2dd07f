"""The packages that a tablet carries, and their records."""

import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from fieldsync.client.canonical import checksum, content_hash
from fieldsync.client.disk import Disk


class Shelf(Disk):
    """Packages as the server last gave them; what was entered here is not in them before a pull brings it."""

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
