"""The end of the day: both inventories compared, what the server lacks sent again, what is old let go."""

import datetime as dt
from typing import Any

import httpx

from fieldsync.client.sending import Sending
from fieldsync.client.signed import NotSigned, read_pem_key
from fieldsync.client.statements import HeldStatement, read_statement
from fieldsync.client.transport import ProblemAnswer

# Never less, whatever an answer says; more when it asks for more.
KEEP_DAYS_LEAST = 14


class DayEnd(Sending):
    """The part of a `fieldsync.client.Tablet` that proves to be complete, and forgets by that proof alone."""

    statements_refused: int

    def refill(self) -> None:
        """Give a server that was restored from a backup what it lost: queued again, and sent."""
        self.reconcile()
        self.push()
        self.upload_photos()

    def reconcile(self) -> dict[str, Any]:
        """Compare inventories with the server and queue again whatever it lacks.

        Numbers alone do not tell: where a copy of this tablet has given the same number to another change, the
        server has that number, and not this change. So the claim names the changes by their ids too.

        What the server has acknowledged, first signed to have ``keep_days`` ago and signs to have still, is
        removed from the disk once its property is in no package here; never before, since a restored server
        may need it. Days are counted from one statement to another: the tablet's clock has no part in it.
        """
        spans, marks = self.store.held()
        body = {
            "device_id": self.device_id,
            "last_seq": self.store.last_seq(),
            "seq_ranges": spans,
            "id_marks": marks,
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
        self._let_go(answer, body)
        return answer

    def _let_go(self, answer: dict[str, Any], claim: dict[str, Any]) -> None:
        """Remove what a statement allows; one that does not verify allows nothing."""
        try:
            statement = self._read_statement(answer["statement"])
        except (httpx.TransportError, ProblemAnswer):
            return  # the key could not be had; there is another day
        except NotSigned:
            statement = None
        if statement is None or not statement.is_about(claim, self.transport.town):
            self.statements_refused += 1
            return
        if statement.is_store_lost:
            return  # this disk is an older copy: what it knows of itself is not to be built on
        stated = statement.photos_here(claim["photo_hashes"], answer["missing_photos"])
        before = statement.at - dt.timedelta(days=max(KEEP_DAYS_LEAST, int(answer["keep_days"])))
        self.store.note_stated(_spell(statement.at), statement.epoch, statement.here, stated)
        paths = self.store.let_go(_spell(before), statement.here, stated)
        for path in paths:
            path.unlink(missing_ok=True)
        if paths:
            self.store.forget_photos()

    def _read_statement(self, text: str) -> HeldStatement:
        known = self.store.get("statement_key")
        if known is not None:
            try:
                return read_statement(text, read_pem_key(known))
            except NotSigned:
                pass  # the server's key may be another since
        pem = self.transport.send("GET", "statement-key", signed=False).json()["public_key_pem"]
        statement = read_statement(text, read_pem_key(pem))
        self.store.set(statement_key=pem)
        return statement


def _spell(at: dt.datetime) -> str:
    """Return a time so that two compare as text."""
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
