"""Who works on a tablet: signing in with the server, renewing, and locking it again."""

from typing import Any

import httpx

from fieldsync.client.notebook import Notebook
from fieldsync.client.signed import NotSigned
from fieldsync.client.transport import ProblemAnswer, Transport


class People(Notebook):
    """The part of a `fieldsync.client.Tablet` that knows who holds it; `transport` is the tablet's."""

    transport: Transport

    def me(self) -> dict[str, Any]:
        """Return what the server's policy for this device is, and keep what is needed of it without a line."""
        policy: dict[str, Any] = self.transport.send("GET", "devices/me").json()
        self._keep_policy(policy)
        return policy

    def sign_in(self, email: str, password: str) -> dict[str, Any]:
        """Sign a person in on this tablet (online); what is recorded from now on names them as its author.

        Signing in again renews: work goes on by the new grant. Whose session it was before is locked. What
        was made in a session is proven by its grant, which goes along however late that is sent.

        Raises
        ------
        ProblemAnswer
            ``sign-in-refused``, ``sign-in-locked``, ``person-without-role``, ``device-revoked``.
        NotSigned
            The grant is none of this server's for this tablet. Whoever was signed in still is.
        """
        if not self.session.is_trusting:
            self.me()
        body = {"email": email, "password": password}
        answer: dict[str, Any] = self.transport.send("POST", "sessions", json=body).json()
        self.time.hear(answer["began_at"])
        before = self.session.current
        try:
            self.session.begin(answer)
        except NotSigned:
            self.me()  # the server's key may be another since
            self.session.begin(answer)
        if before is not None:
            self.session.note_ending(before["session_id"])
            self.tell_endings()
        return answer

    def sign_out(self) -> None:
        """Lock the tablet for who works on it; nothing that was recorded goes. Works offline too."""
        self.session.end()
        self.tell_endings()

    def tell_endings(self) -> None:
        """Tell the server of sessions that were ended here, as far as there is a line; `sync` tries again."""
        for session_id in self.session.endings():
            try:
                self.transport.send("POST", "sessions/end", json={"session_id": session_id})
            except httpx.TransportError:
                return
            except ProblemAnswer as problem:
                if problem.code != "not-found":  # a server restored from before the session does not know it
                    return
            self.session.note_told(session_id)

    def _keep_policy(self, policy: dict[str, Any]) -> None:
        self.session.trust(policy)
        self.time.hear(policy["server_time"])
