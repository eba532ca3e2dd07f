"""Offline grants: that a person signed in on a device, signed by the server, checked without it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from fieldsync.devices.rules import BadToken, b64, unb64

GRANT_VERSION = "g1"
GRANT_MAX_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Grant:
    """Who may work on which device, as what, from when until when (seconds since 1970)."""

    session_id: UUID
    person_id: UUID
    name: str
    device_id: UUID
    town_code: int
    roles: tuple[str, ...]
    began_s: int
    expires_s: int


def seal_grant(grant: Grant, key: Ed25519PrivateKey) -> str:
    """Return ``g1.<facts>.<signature>``; a tablet verifies it offline with the server's public key."""
    facts = {
        "session": str(grant.session_id),
        "person": str(grant.person_id),
        "name": grant.name,
        "device": str(grant.device_id),
        "town": grant.town_code,
        "roles": sorted(grant.roles),
        "began_s": grant.began_s,
        "expires_s": grant.expires_s,
    }
    body = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return ".".join([GRANT_VERSION, b64(body), b64(key.sign(body))])


def open_grant(text: str, key: Ed25519PublicKey) -> Grant:
    """Return what a grant says, expired or not.

    Raises
    ------
    BadToken
        It is not one, or was not signed with the key.
    """
    try:
        if len(text) > GRANT_MAX_LENGTH:
            raise BadToken("too long")
        version, body, signature = text.split(".")
        if version != GRANT_VERSION:
            raise BadToken("of another version")
        key.verify(unb64(signature), unb64(body))
        facts = json.loads(unb64(body))
        return Grant(
            session_id=UUID(facts["session"]),
            person_id=UUID(facts["person"]),
            name=facts["name"],
            device_id=UUID(facts["device"]),
            town_code=int(facts["town"]),
            roles=tuple(facts["roles"]),
            began_s=int(facts["began_s"]),
            expires_s=int(facts["expires_s"]),
        )
    except (InvalidSignature, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadToken("not a grant of this server") from error


def doubt_about(author: UUID, captured_s: float | None, grants: Iterable[Grant]) -> str:
    """Return why it is not proven that ``author`` was signed in when something was captured, or nothing.

    Parameters
    ----------
    captured_s
        By the device's clock, set right by what the server measured of it. A grant proves what was captured
        while it held, however much later it is sent.
    grants
        Genuine ones of this device, each ending where its session was ended.
    """
    own = [grant for grant in grants if grant.person_id == author]
    if not own:
        return "author-unproven"
    if captured_s is None or any(
        grant.began_s <= captured_s + _CLOCK_PLAY_S and captured_s <= grant.expires_s + _CLOCK_PLAY_S
        for grant in own
    ):
        return ""
    return "grant-expired"


# What the measured offset of a tablet's clock may be wrong by.
_CLOCK_PLAY_S = 300
