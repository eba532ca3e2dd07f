"""A tablet: enrols, takes packages, is edited offline, and syncs."""

import datetime as dt
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from fieldsync.client import uploads
from fieldsync.client.canonical import checksum, content_hash, new_id
from fieldsync.client.device_key import DeviceKey
from fieldsync.client.notebook import SCHEMA_VERSION, wall_clock
from fieldsync.client.parts import PackageDamaged, PartStore
from fieldsync.client.people import People
from fieldsync.client.transport import ATTEMPTS, ProblemAnswer, Transport

__all__ = ["PackageDamaged", "Tablet"]

BATCH = 200
PULL = {"limit": 1000, "patches": "true"}
# Whole batches that the server refuses for what is in them; it is looked for by halves.
_SPLIT = frozenset({"batch-too-large", "bad-json", "bad-batch"})


class Tablet(People):
    """One device with its folder on disk.

    Parameters
    ----------
    folder
        Holds the key, the store and the photos; made when missing. Two tablets never share one.
    base_url
        The server.
    http, sleep, clock, make_id, attempts
        The line, how to wait, the time of day, the ids and the patience, for tests and simulations.

    Attributes
    ----------
    schema_version
        Of what this app writes. Each mutation carries the one it was written by, however late it is sent.
    hints
        How the server last asked to be spoken to.
    mismatches
        How often the rows here did not have the server's checksum after a delta; always 0, or report it.
    """

    def __init__(
        self,
        folder: Path,
        base_url: str,
        *,
        http: httpx.Client | None = None,
        app_version: str = "0.1.0",
        schema_version: int = SCHEMA_VERSION,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], dt.datetime] = wall_clock,
        make_id: Callable[[], UUID] = new_id,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__(folder, schema_version=schema_version, clock=clock, make_id=make_id)
        self.app_version = app_version
        self.parts = PartStore(folder / "parts")
        key = DeviceKey.load_or_make(folder / "device.pem")
        self.transport = Transport(base_url, key, http=http, sleep=sleep, attempts=attempts)
        self.transport.app_version = app_version
        self.transport.device_id = self.store.get("device_id") or ""
        self.transport.town = int(self.store.get("town") or 0)
        self.hints: dict[str, Any] = {}
        self.mismatches = 0

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
        self._keep_policy(answer)
        return answer

    def list_packages(self) -> list[dict[str, Any]]:
        """Return the packages assigned to this device."""
        return list(self.transport.send("GET", "packages").json()["packages"])

    def take_assigned(self) -> int:
        """Take every assigned package that is not here yet; returns how many."""
        held = self.store.packages()
        wanted = [package["package_id"] for package in self.list_packages()]
        fresh = [package_id for package_id in wanted if package_id not in held]
        for package_id in fresh:
            self._take_anew(package_id)
        return len(fresh)

    def download(self, package_id: str) -> dict[str, Any]:
        """Take a package whole: every part verified by its hash, the records by their checksum.

        Raises
        ------
        PackageDamaged
            Bytes or records are not those of the manifest. What was held before is still there.
        """
        manifest: dict[str, Any] = self.transport.send("GET", f"packages/{package_id}/manifest").json()
        if self.store.get("epoch") not in (None, manifest["epoch"]):
            self.refill()
        records: list[dict[str, Any]] = []
        for part in manifest["parts"]:
            content = self.parts.fetch(self.transport, part)
            if part["kind"] == "records":
                records = [json.loads(line) for line in gzip.decompress(content).splitlines()]
        own = checksum(content_hash(r["kind"], r["id"], r["data"]) for r in records)
        if own != manifest["checksum"]["value"] or len(records) != manifest["checksum"]["records"]:
            raise PackageDamaged(f"records sum to {own}, the manifest says {manifest['checksum']['value']}")
        self.store.replace_package(manifest, records)
        self.store.set(epoch=manifest["epoch"])
        held = [self.store.manifest(key)["parts"] for key in self.store.packages()]
        self.parts.keep_only({part["sha256"] for parts in held for part in parts})
        return manifest

    def pull(self, package_id: str, *, is_fresh: bool = False) -> int:
        """Take what changed since the last pull, or the package anew; returns how many changes came.

        Pages are collected and applied in one transaction, so no half state is ever seen, and the
        checksum is computed from the tablet's own rows: if it does not agree, the package is taken anew.
        """
        self.store.begin_pull()
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
            if problem.code == "not-found":
                # Taken back; or drawn after the backup that the server was restored from.
                self.refill()
            if _is_gone(problem):
                self.store.drop_package(package_id)
            if problem.retry != "refresh-manifest":
                raise
            if is_fresh:
                raise
            if problem.code == "epoch-changed":
                self.refill()
            return self._take_anew(package_id)
        self.hints = page["hints"]
        self.time.hear(page["server_time"])
        self.store.apply_changes(package_id, changes, cursor, patches)
        if self.store.checksum(package_id) != (page["checksum"]["records"], page["checksum"]["value"]):
            self.mismatches += 1
            if is_fresh:
                raise PackageDamaged(f"package {package_id} does not agree even when it is taken anew")
            return self._take_anew(package_id)
        self.store.end_pull(package_id)
        return len(changes) + sum(len(group["rows"]) for group in patches)

    def _take_anew(self, package_id: str) -> int:
        """Take a package by its manifest, and then what changed since that was built."""
        self.download(package_id)
        return len(self.store.records(package_id, "card")) + self.pull(package_id, is_fresh=True)

    def refill(self) -> None:
        """Give a server that was restored from a backup what it lost: queued again, and sent."""
        self.reconcile()
        self.push()
        self.upload_photos()

    def push(self) -> list[dict[str, Any]]:
        """Send everything unfinished in batches; returns the results, each naming its mutation.

        What was answered is kept batch by batch. A batch that the server cannot read is sent in halves,
        so that one item that it refuses stays behind alone, in the outbox.
        """
        results: list[dict[str, Any]] = []
        last, size = 0, self._batch_size()
        while batch := self.session.cut(self.store.unfinished(size, after=last)):
            try:
                answer = self.push_batch(batch)
            except ProblemAnswer as problem:
                if problem.code not in _SPLIT:
                    raise
                if len(batch) == 1:
                    last, size = batch[-1]["device_seq"], self._batch_size()
                else:
                    size = len(batch) // 2
                continue
            self.store.finish(answer["results"])
            self.hints = answer["hints"]
            results += answer["results"]
            last, size = batch[-1]["device_seq"], self._batch_size()
        return results

    def _batch_size(self) -> int:
        return max(1, min(BATCH, int(self.hints.get("push_max_items", BATCH))))

    def push_batch(self, mutations: list[dict[str, Any]]) -> dict[str, Any]:
        """Send one batch as it is and return the answer, without touching the outbox."""
        body = {
            "batch_id": str(self.make_id()),
            "device_id": self.device_id,
            "app_version": self.app_version,
            "schema_version": self.schema_version,
            "client_time": self._now(),
            "queue": self.queue_state(),
            "grants": self.session.grants_for(mutations),
            "mutations": mutations,
        }
        content = gzip.compress(json.dumps(body).encode(), 1)
        headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        answer: dict[str, Any] = self.transport.send("POST", "push", headers=headers, content=content).json()
        self.time.hear(answer["server_time"])
        return answer

    def upload_photos(self) -> int:
        """Send the bytes of every photo the server still lacks; returns how many it has acknowledged."""
        waiting = self.store.photos("waiting")
        known: set[str] = set()
        for start in range(0, len(waiting), 100):
            hashes = [photo["sha256"] for photo in waiting[start : start + 100]]
            answer = self.transport.send("POST", "photos/lookup", json={"sha256": hashes}).json()
            known |= set(answer["known"])
        for photo in waiting:
            if photo["sha256"] in known:
                self.store.set_photo(photo["photo_id"], state="received", url=photo["url"])
                continue
            url = uploads.send_photo(self.transport, photo, url=photo["url"], begun=self._note_upload(photo))
            self.store.set_photo(photo["photo_id"], state="received", url=url)
        return len(waiting)

    def _note_upload(self, photo: dict[str, Any]) -> Callable[[str], None]:
        """Return what keeps the address of an upload that is not finished in one go."""
        return lambda url: self.store.set_photo(photo["photo_id"], state="waiting", url=url)

    def sync(self) -> dict[str, int]:
        """Push, upload, pull: in this order, so that what comes back holds what went out.

        Raises
        ------
        ProblemAnswer
            ``device-revoked`` after everything was handed over; the folder is empty by then if the office
            wants it so.
        """
        self.tell_endings()
        results = self.push()
        photos = 0 if self.hints.get("pause_photos") else self.upload_photos()
        try:
            if not self.store.packages():
                self.refill()  # without a package there is no cursor to tell that the server was restored
            changes = sum(self._pull_if_there(package_id) for package_id in self.store.packages())
        except ProblemAnswer as problem:
            if problem.code == "device-revoked":
                self._obey(problem.document.get("wipe", "none"))
            raise
        return {"pushed": len(results), "photos": photos, "pulled": changes}

    def _pull_if_there(self, package_id: str) -> int:
        try:
            return self.pull(package_id)
        except ProblemAnswer as problem:
            if not _is_gone(problem):
                raise
            return 0

    def _obey(self, wipe: str) -> None:
        if wipe == "after-upload":
            self.refill()
        is_empty = not self.store.count_unfinished() and not self.store.photos("waiting")
        if wipe == "now" or (wipe == "after-upload" and is_empty):
            self.wipe()

    def wipe(self) -> None:
        """Remove records, packages, photos and the outbox from the disk. The key stays: it is of no use alone."""
        self.store.wipe()
        self.parts.keep_only(())
        for path in (self.folder / "photos").iterdir():
            path.unlink()

    def reconcile(self) -> dict[str, Any]:
        """Compare inventories with the server and queue again whatever it lacks.

        When nothing is missing, what was stated complete ``keep_days`` ago and is in no package any more is
        removed from the disk; never before, since a restored server may need it.
        """
        body = {
            "device_id": self.device_id,
            "last_seq": self.store.last_seq(),
            "seq_ranges": self.store.spans(),
            "photo_hashes": sorted({photo["sha256"] for photo in self.store.photos("waiting", "received")}),
            "packages": [
                {"id": key, "cursor": cursor, "checksum": self.store.checksum(key)[1]}
                for key, cursor in self.store.packages().items()
            ],
        }
        answer: dict[str, Any] = self.transport.send("POST", "reconcile", json=body).json()
        self.time.hear(answer["server_time"])
        self.store.resend((first, last) for first, last in answer["missing_mutations"])
        if answer["is_store_lost"]:
            # Never give a number twice: the server would have to take this tablet for a copy.
            self.store.set(last_seq=str(answer["last_seq"]))
        missing = set(answer["missing_photos"])
        for photo in self.store.photos("received"):
            if photo["sha256"] in missing:
                self.store.set_photo(photo["photo_id"], state="waiting", url=None)
        if answer["epoch"] is not None:
            self.store.set(epoch=answer["epoch"])
        return answer

    def close(self) -> None:
        """Close the store and the connections."""
        self.store.close()
        self.transport.http.close()


def _is_gone(problem: ProblemAnswer) -> bool:
    """Whether a package was closed, or taken back from this tablet."""
    return problem.code in ("package-closed", "not-found")


def _spell_code(typed: str) -> str:
    plain = "".join(typed.upper().split()).replace("-", "").translate(str.maketrans("ILO", "110"))
    return "-".join([plain[:3], *(plain[i : i + 4] for i in range(3, len(plain), 4))])
