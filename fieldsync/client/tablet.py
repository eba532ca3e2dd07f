"""A tablet: enrols, takes packages, is edited offline, and syncs."""

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from fieldsync.client import uploads
from fieldsync.client.canonical import checksum, content_hash, new_id
from fieldsync.client.device_key import DeviceKey
from fieldsync.client.store import Store
from fieldsync.client.transport import ProblemAnswer, Transport

SCHEMA_VERSION = 2
BATCH = 200
PULL = {"limit": 1000, "patches": "true"}
CHILD_KINDS = ("building", "section", "land_line", "feature")


class PackageDamaged(Exception):
    """A part or a package does not have the hash that its manifest states; nothing was changed."""


class Tablet:
    """One device with its folder on disk.

    Parameters
    ----------
    folder
        Holds the key, the store and the photos; made when missing. Two tablets never share one.
    base_url
        The server.
    http
        A client to use instead of one's own.
    """

    def __init__(
        self, folder: Path, base_url: str, *, http: httpx.Client | None = None, app_version: str = "0.1.0"
    ) -> None:
        self.folder = folder
        (folder / "photos").mkdir(parents=True, exist_ok=True)
        self.app_version = app_version
        self.store = Store(folder / "tablet.sqlite3")
        self.transport = Transport(base_url, DeviceKey.load_or_make(folder / "device.pem"), http=http)
        self.transport.device_id = self.store.get("device_id") or ""
        self.transport.town = int(self.store.get("town") or 0)

    @property
    def device_id(self) -> str:
        """The id that the server gave at enrolment, or the empty string."""
        return self.transport.device_id

    def enrol(self, code: str, *, name: str) -> dict[str, Any]:
        """Become a device of the town that the code was made in."""
        key = self.transport.key
        spelled = _spell_code(code)
        body = {
            "code": spelled,
            "public_key": key.spki,
            "signature": key.sign(f"grandlist-enrol\n{spelled}\n{key.spki}".encode()),
            "name": name,
            "app_version": self.app_version,
        }
        answer: dict[str, Any] = self.transport.send("POST", "devices/enrol", signed=False, json=body).json()
        self.store.set(device_id=answer["device_id"], town=str(answer["town"]))
        self.transport.device_id, self.transport.town = answer["device_id"], answer["town"]
        return answer

    def me(self) -> dict[str, Any]:
        """Return what the server's policy for this device is."""
        return dict(self.transport.send("GET", "devices/me").json())

    def list_packages(self) -> list[dict[str, Any]]:
        """Return the packages assigned to this device."""
        return list(self.transport.send("GET", "packages").json()["packages"])

    def download(self, package_id: str) -> dict[str, Any]:
        """Take a package whole: every part verified by its hash, the records by their checksum.

        Raises
        ------
        PackageDamaged
            Bytes or records are not those of the manifest. What was held before is still there.
        """
        manifest: dict[str, Any] = self.transport.send("GET", f"packages/{package_id}/manifest").json()
        records: list[dict[str, Any]] = []
        for part in manifest["parts"]:
            content = self._fetch_part(part)
            if part["kind"] == "records":
                records = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        own = checksum(content_hash(r["kind"], r["id"], r["data"]) for r in records)
        if own != manifest["checksum"]["value"] or len(records) != manifest["checksum"]["records"]:
            raise PackageDamaged(f"records sum to {own}, the manifest says {manifest['checksum']['value']}")
        self.store.replace_package(manifest, records)
        return manifest

    def _fetch_part(self, part: dict[str, Any]) -> bytes:
        path = self.folder / f"part-{part['sha256']}"
        have = path.read_bytes() if path.exists() else b""
        if len(have) < part["bytes"]:
            headers = {"Range": f"bytes={len(have)}-"} if have else {}
            answer = self.transport.send("GET", f"blobs/{part['sha256']}", headers=headers)
            have = have + answer.content if answer.status_code == 206 else answer.content
            path.write_bytes(have)
        if hashlib.sha256(have).hexdigest() != part["sha256"]:
            path.unlink()
            raise PackageDamaged(f"part {part['kind']} does not have the hash {part['sha256']}")
        return have

    def pull(self, package_id: str) -> int:
        """Take what changed since the last pull, or the package anew; returns how many changes came.

        Pages are collected and applied in one transaction, so no half state is ever seen, and the
        checksum is computed from the tablet's own rows: if it does not agree, the package is taken anew.
        """
        cursor = self.store.packages()[package_id]
        changes: list[dict[str, Any]] = []
        patches: list[dict[str, Any]] = []
        try:
            while True:
                path = f"packages/{package_id}/changes"
                page = self.transport.send("GET", path, params={**PULL, "cursor": cursor}).json()
                changes += page["changes"]
                patches += page.get("patches", [])
                cursor = page["next_cursor"]
                if not page["has_more"]:
                    break
        except ProblemAnswer as problem:
            if problem.retry != "refresh-manifest":
                raise
            return int(self.download(package_id)["checksum"]["records"])
        self.store.apply_changes(package_id, changes, cursor, patches)
        if self.store.checksum(package_id) != (page["checksum"]["records"], page["checksum"]["value"]):
            self.download(package_id)
        return len(changes) + sum(len(group["rows"]) for group in patches)

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
        """Return a card's fields as the collector sees them: the server's, under what is not final yet."""
        fields = fields_of(self.store.find_record("card", property_id) or {})
        for body in self.store.unfinished(limit=1_000_000):
            if property_id in (body["entity_id"], body.get("data", {}).get("property_id")):
                fields.update({name: change["new"] for name, change in body.get("changes", {}).items()})
        return fields

    def create_inspection(
        self, property_id: str, *, observations: dict[str, Any] | None = None, **data: Any
    ) -> str:
        """Record a visit and by path what was seen at it; returns its id. ``data`` is that of the mutation."""
        inspection_id = str(new_id())
        self.record(
            {
                "kind": "inspection.create",
                "entity_id": inspection_id,
                "data": {"property_id": property_id, **data},
                "changes": observations or {},
            }
        )
        return inspection_id

    def take_photo(
        self, content: bytes, *, mime: str = "image/jpeg", photo_id: str | None = None, **data: Any
    ) -> str:
        """Keep a photo and declare it; the hash is taken now, of the very bytes that will be sent.

        ``position`` is ``{"lat": "41.38", "lon": "-72.90", "accuracy_m": "4", "heading_deg": "270"}``.
        """
        photo_id = photo_id or str(new_id())
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.folder / "photos" / photo_id
        path.write_bytes(content)
        facts = {"sha256": sha256, "bytes": len(content), "mime": mime, "taken_at": _now()}
        with self.store.transaction():
            self.store.add_photo(photo_id, sha256, len(content), mime, path)
            self.record({"kind": "photo.declare", "entity_id": photo_id, "data": {**facts, **data}})
        return photo_id

    def record(self, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Put one mutation in the outbox."""
        return self.record_many([{**body, **more}])[0]

    def record_many(self, bodies: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Put several mutations in the outbox in one transaction."""
        now = _now()
        return self.store.add_mutations(
            {"mutation_id": str(new_id()), "captured_at": now, "schema_version": SCHEMA_VERSION, **body}
            for body in bodies
        )

    def push(self) -> list[dict[str, Any]]:
        """Send everything unfinished in batches; returns the results, each naming its mutation."""
        results: list[dict[str, Any]] = []
        last = 0
        while batch := self.store.unfinished(BATCH, after=last):
            answer = self.push_batch(batch)
            self.store.finish(answer["results"])
            results += answer["results"]
            last = batch[-1]["device_seq"]
        return results

    def push_batch(self, mutations: list[dict[str, Any]]) -> dict[str, Any]:
        """Send one batch as it is and return the answer, without touching the outbox."""
        body = {
            "batch_id": str(new_id()),
            "device_id": self.device_id,
            "app_version": self.app_version,
            "schema_version": SCHEMA_VERSION,
            "client_time": _now(),
            "queue": {"pending": len(mutations), "photos": len(self.store.photos("waiting"))},
            "mutations": mutations,
        }
        content = gzip.compress(json.dumps(body).encode(), 1)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        return dict(self.transport.send("POST", "push", headers=headers, content=content).json())

    def upload_photos(self) -> int:
        """Send the bytes of every photo the server still lacks; returns how many it has acknowledged."""
        waiting = self.store.photos("waiting")
        known: set[str] = set()
        for start in range(0, len(waiting), 100):
            hashes = [photo["sha256"] for photo in waiting[start : start + 100]]
            answer = self.transport.send("POST", "photos/lookup", json={"sha256": hashes}).json()
            known |= set(answer["known"])
        for photo in waiting:
            url = photo["url"]
            if photo["sha256"] not in known:
                url = uploads.send_photo(self.transport, photo, url=url)
            self.store.set_photo(photo["photo_id"], state="received", url=url)
        return len(waiting)

    def sync(self) -> dict[str, int]:
        """Push, upload, pull: in this order, so that what comes back holds what went out."""
        results = self.push()
        photos = self.upload_photos()
        changes = sum(self.pull(package_id) for package_id in self.store.packages())
        return {"pushed": len(results), "photos": photos, "pulled": changes}

    def reconcile(self) -> dict[str, Any]:
        """Compare inventories with the server and queue again whatever it lacks."""
        sequence = self.store.sequence()
        body = {
            "device_id": self.device_id,
            "seq_ranges": [[1, sequence[-1]]] if sequence else [],
            "photo_hashes": sorted({photo["sha256"] for photo in self.store.photos("waiting", "received")}),
            "packages": [
                {"id": key, "cursor": cursor, "checksum": self.store.checksum(key)[1]}
                for key, cursor in self.store.packages().items()
            ],
        }
        answer: dict[str, Any] = self.transport.send("POST", "reconcile", json=body).json()
        self.store.resend((first, last) for first, last in answer["missing_mutations"])
        missing = set(answer["missing_photos"])
        for photo in self.store.photos("received"):
            if photo["sha256"] in missing:
                self.store.set_photo(photo["photo_id"], state="waiting", url=None)
        return answer

    def close(self) -> None:
        """Close the store and the connections."""
        self.store.close()
        self.transport.http.close()


def fields_of(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card's fields by path: bare names for the property, ``kind/id/field`` for its rows."""
    fields = dict(card.get("property", {}))
    for kind in CHILD_KINDS:
        for row in card.get(kind, []):
            fields.update({f"{kind}/{row['id']}/{name}": row[name] for name in row if name != "id"})
    return fields


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")


def _spell_code(typed: str) -> str:
    plain = "".join(typed.upper().split()).replace("-", "").translate(str.maketrans("ILO", "110"))
    return "-".join([plain[:3], *(plain[i : i + 4] for i in range(3, len(plain), 4))])
