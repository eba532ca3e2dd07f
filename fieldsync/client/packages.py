"""What comes down: packages whole, then what changed in them."""

import gzip
import json
from typing import Any

from fieldsync.client.canonical import checksum, content_hash
from fieldsync.client.day_end import DayEnd
from fieldsync.client.parts import PackageDamaged, PartStore
from fieldsync.client.transport import ProblemAnswer

PULL = {"limit": 1000, "patches": "true"}


class Packages(DayEnd):
    """The part of a `fieldsync.client.Tablet` that takes packages and keeps them up to date."""

    parts: PartStore
    mismatches: int

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

    def _pull_if_there(self, package_id: str) -> int:
        try:
            return self.pull(package_id)
        except ProblemAnswer as problem:
            if not _is_gone(problem):
                raise
            return 0


def _is_gone(problem: ProblemAnswer) -> bool:
    """Whether a package was closed, or taken back from this tablet."""
    return problem.code in ("package-closed", "not-found")
