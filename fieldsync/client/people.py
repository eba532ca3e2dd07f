"""Who works on a tablet: signing in with the server, and locking it again."""

import json
from typing import Any

import httpx

from fieldsync.client.notebook import Notebook
from fieldsync.client.transport import ProblemAnswer, Transport

GRANTS = 20


class People(Notebook):
    """The part of a `fieldsync.client.Tablet` that knows who holds it; `transport` is the tablet's."""

    transport: Transport

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Sign a person in on this tablet (online); what is recorded from now on names them as its author.

        The grants of those who worked here go along with every push: what was made in a session is proven by
        it however late it is sent.
        """
        body = {"email": email, "password": password}
        session: dict[str, Any] = self.transport.send("POST", "sessions", json=body).json()
        grants = [*self.grants(), session["grant"]][-GRANTS:]
        self.store.set(grants=json.dumps(grants), session=json.dumps(session))
        return session

    def sign_out(self) -> None:
        """Lock the tablet for who works on it; nothing that was recorded goes. Works offline too."""
        session = json.loads(self.store.get("session") or "null")
        if session is None:
            return
        self.store.set(session="null")
        try:
            self.transport.send("POST", "sessions/end", json={"session_id": session["session_id"]})
        except (ProblemAnswer, httpx.TransportError):
            return  # it is locked here; the server's session ends by itself when the grant expires
