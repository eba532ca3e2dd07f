"""The offline grant as a tablet reads it: who may work on it until when (``tests/vectors/offline_grant.json``)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from fieldsync.client.signed import NotSigned, open_signed

# What the tablet's idea of the server's time may be wrong by when a session begins.
CLOCK_PLAY_S = 300
# A quarter of a grant's life before its end a tablet asks to renew it: while there is a line perhaps.
RENEW_AT = 0.25


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """One session of one person on one tablet; times in seconds since 1970, the server's."""

    session_id: str
    person_id: str
    name: str
    device_id: str
    town: int
    began_s: int
    expires_s: int

    def is_for(self, device_id: str, town: int) -> bool:
        """Whether it was given to this very tablet."""
        return (self.device_id, self.town) == (device_id, town)

    def is_over(self, now_s: float) -> bool:
        """Whether work may no longer be begun by it; a time before its beginning is no time for it either."""
        return not self.began_s - CLOCK_PLAY_S <= now_s < self.expires_s

    def is_to_renew(self, now_s: float) -> bool:
        """Whether it is near its end."""
        return self.expires_s - now_s <= RENEW_AT * (self.expires_s - self.began_s)


def read_grant(text: str, key: Ed25519PublicKey) -> HeldGrant:
    """Return what a grant says, over or not.

    Raises
    ------
    NotSigned
        It is none, was altered, or is another server's.
    """
    facts = open_signed("g1", text, key)
    try:
        return HeldGrant(
            session_id=str(facts["session"]),
            person_id=str(facts["person"]),
            name=str(facts["name"]),
            device_id=str(facts["device"]),
            town=int(facts["town"]),
            began_s=int(facts["began_s"]),
            expires_s=int(facts["expires_s"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotSigned("not the facts of a grant") from error
