"""A tablet: enrols, takes packages, is edited offline, and syncs."""

import datetime as dt
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from fieldsync.client.canonical import new_id
from fieldsync.client.device_key import DeviceKey
from fieldsync.client.notebook import SCHEMA_VERSION, wall_clock
from fieldsync.client.packages import Packages
from fieldsync.client.parts import PackageDamaged, PartStore
from fieldsync.client.transport import ATTEMPTS, ProblemAnswer, Transport

__all__ = ["PackageDamaged", "Tablet"]


class Tablet(Packages):
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
    statements_refused
        How often a statement of the end of the day did not verify; always 0, or report it.
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
        self.mismatches = self.statements_refused = 0

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

    def close(self) -> None:
        """Close the store and the connections."""
        self.store.close()
        self.transport.http.close()


def _spell_code(typed: str) -> str:
    plain = "".join(typed.upper().split()).replace("-", "").translate(str.maketrans("ILO", "110"))
    return "-".join([plain[:3], *(plain[i : i + 4] for i in range(3, len(plain), 4))])
