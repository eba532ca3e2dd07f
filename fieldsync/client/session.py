"""Who may enter work on a tablet, decided without a line by the grant on its disk.

The session of a person is another thing than the device's identity: what is in the outbox belongs to the
device and is sent whoever is signed in, or nobody. A grant that has run out stops new work and nothing else.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fieldsync.client.grants import HeldGrant, read_grant
from fieldsync.client.known_time import KnownTime
from fieldsync.client.signed import NotSigned, read_raw_key
from fieldsync.client.store import Store

# The server reads no more in one push; a batch made in more sessions is cut.
GRANTS_MOST = 50


class SessionState(StrEnum):
    """What the tablet's screen says of who works on it."""

    CARRIER = "carrier"  # nobody is signed in: who carries the tablet works, proven by the device's key
    LOCKED = "locked"  # nobody is signed in, and nobody carries it
    WORKING = "working"
    RENEW = "renew"  # working; the grant is near its end
    EXPIRED = "expired"
    INVALID = "invalid"  # what is on the disk is no grant of this server for this tablet


MAY_ENTER = frozenset({SessionState.CARRIER, SessionState.WORKING, SessionState.RENEW})


class WorkRefused(Exception):
    """Nobody may begin work on the tablet now; ``state`` says why. Nothing was written, and nothing is lost."""

    def __init__(self, state: SessionState) -> None:
        self.state = state
        super().__init__(f"sign in first: {state}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A form that was opened by somebody who might: it may be finished, whatever ends meanwhile.

    What is recorded carries the time at which it was; if that is after the end of the grant, the server
    takes it and flags it as the town has it.
    """

    actor_id: str | None
    session_id: str


class Session:
    """The offline half of people's sign-in, on the tablet's disk."""

    def __init__(self, store: Store, time: KnownTime) -> None:
        self._store, self._time = store, time

    def trust(self, policy: dict[str, Any]) -> None:
        """Keep from the server's policy the key that grants are signed with, and who carries the tablet."""
        self._store.set(grant_key=policy["grant_public_key"], carrier=policy["person"] or "")

    @property
    def is_trusting(self) -> bool:
        """Whether the key of grants is known here."""
        return self._store.get("grant_key") is not None

    def begin(self, answer: dict[str, Any]) -> HeldGrant:
        """Take over the session that the server has just begun.

        Raises
        ------
        NotSigned
            Its grant does not verify with the key that this tablet trusts, or is another tablet's. Whoever
            was signed in still is.
        """
        grant = self._read(answer["grant"])
        with self._store.transaction():
            self._store.keep_grant(grant.session_id, grant.person_id, answer["grant"])
            self._store.set(session=json.dumps(answer))
        return grant

    def end(self) -> None:
        """Lock for who is signed in; the server is told of it when there is a line."""
        current = self.current
        if current is None:
            return
        with self._store.transaction():
            self._store.set(session="null")
            self.note_ending(current["session_id"])

    def note_ending(self, session_id: str) -> None:
        """Keep that the server is to be told of the end of a session."""
        self._store.set(endings=json.dumps([*self.endings(), session_id]))

    def endings(self) -> list[str]:
        """Return the sessions that were ended here and that the server has not been told of."""
        return list(json.loads(self._store.get("endings") or "[]"))

    def note_told(self, session_id: str) -> None:
        """Note that the server knows of an ending."""
        self._store.set(endings=json.dumps([key for key in self.endings() if key != session_id]))

    @property
    def current(self) -> dict[str, Any] | None:
        """The session as the server gave it, or None; it may have run out."""
        session: dict[str, Any] | None = json.loads(self._store.get("session") or "null")
        return session

    @property
    def state(self) -> SessionState:
        """Who may work now, by the server's time as far as it is known here."""
        current = self.current
        if current is None:
            return SessionState.LOCKED if self._store.get("carrier") == "" else SessionState.CARRIER
        try:
            grant = self._read(current["grant"])
        except NotSigned:
            return SessionState.INVALID
        now_s = self._time.now_s()
        if grant.is_over(now_s):
            return SessionState.EXPIRED
        return SessionState.RENEW if grant.is_to_renew(now_s) else SessionState.WORKING

    def begin_entry(self) -> Entry:
        """Return the permission to enter one piece of work.

        Raises
        ------
        WorkRefused
            Nobody is signed in on a tablet that nobody carries, or the grant has run out.
        """
        state = self.state
        if state not in MAY_ENTER:
            raise WorkRefused(state)
        current = self.current
        if current is None:
            return Entry(None, "")
        return Entry(str(current["person"]["id"]), str(current["session_id"]))

    def grants_for(self, mutations: Iterable[dict[str, Any]]) -> list[str]:
        """Return the grants of the sessions in which mutations were made, the newest first.

        What is no mutation at all, as hostile tests send, was made in none.
        """
        made = (body.get("mutation_id") for body in mutations if isinstance(body, dict))
        return self._store.grants_of(key for key in made if isinstance(key, str))

    def cut(self, mutations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return as many mutations, from the first, as one push can prove the authors of."""
        while len(mutations) > 1 and len(self.grants_for(mutations)) > GRANTS_MOST:
            mutations = mutations[: len(mutations) // 2]
        return mutations

    def _read(self, text: str) -> HeldGrant:
        grant = read_grant(text, read_raw_key(self._store.get("grant_key") or ""))
        if not grant.is_for(self._store.get("device_id") or "", int(self._store.get("town") or 0)):
            raise NotSigned("a grant for another tablet")
        return grant
