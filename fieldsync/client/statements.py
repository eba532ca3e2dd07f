"""What the server has signed that it holds: the end-of-day statement, read without the server."""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fieldsync.client.signed import NotSigned, open_signed

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class HeldStatement:
    """One statement: what the tablet claimed, and what of it the server lacks. ``at`` is the server's time."""

    device_id: str
    town: int
    at: dt.datetime
    epoch: str
    claimed: tuple[Span, ...]
    ids_digest: str
    missing: tuple[Span, ...]
    photos_digest: str
    photos_here_digest: str
    is_store_lost: bool

    def is_about(self, claim: Mapping[str, Any], town: int) -> bool:
        """Whether it answers this very claim of this very tablet, and compared the changes by their ids."""
        spans = sorted((first, last) for first, last in claim["seq_ranges"])
        said = (self.device_id, self.town, list(self.claimed), self.ids_digest, self.photos_digest)
        ids, photos = digest_of([claim["id_marks"]]), digest_of(claim["photo_hashes"])
        return said == (claim["device_id"], town, spans, ids, photos)

    def photos_here(self, claimed: Iterable[str], missing: Iterable[str]) -> list[str]:
        """The photos that the server signed to have, given those that its answer says it lacks; none if they differ."""
        here = sorted(set(claimed) - set(missing))
        return here if digest_of(here) == self.photos_here_digest else []

    @property
    def here(self) -> list[Span]:
        """The numbers that the server signed to have, as spans of the first and the last."""
        lacking = {number for first, last in self.missing for number in range(first, last + 1)}
        spans: list[Span] = []
        for first, last in self.claimed:
            for number in range(first, last + 1):
                if number in lacking:
                    continue
                if spans and spans[-1][1] == number - 1:
                    spans[-1] = (spans[-1][0], number)
                else:
                    spans.append((number, number))
        return spans


def read_statement(text: str, key: Ed25519PublicKey) -> HeldStatement:
    """Return what a statement says.

    Raises
    ------
    NotSigned
        It is none, was altered, or is another server's.
    """
    facts = open_signed("s1", text, key)
    try:
        return HeldStatement(
            device_id=str(facts["device"]),
            town=int(facts["town"]),
            at=dt.datetime.fromisoformat(facts["at"]).astimezone(dt.UTC),
            epoch=str(facts["epoch"] or ""),
            ids_digest=str(facts.get("ids")),
            claimed=tuple((int(first), int(last)) for first, last in facts["claimed"]),
            missing=tuple((int(first), int(last)) for first, last in facts["missing_mutations"]),
            photos_digest=str(facts["photos"]["digest"]),
            photos_here_digest=str(facts["photos"].get("here_digest")),
            is_store_lost=bool(facts["unknown_to_device"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotSigned("not the facts of a statement") from error


def digest_of(hashes: Iterable[str]) -> str:
    """Return the SHA-256 of hashes, each once, in order, a line each: by it a statement names a set of photos."""
    return hashlib.sha256("".join(f"{value}\n" for value in sorted(set(hashes))).encode()).hexdigest()
