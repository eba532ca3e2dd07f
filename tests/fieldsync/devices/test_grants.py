"""Offline grants: made by the server, verified by a tablet without it (tests/vectors/offline_grant.json)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from fieldsync.devices.grants import Grant, doubt_about, open_grant, seal_grant
from fieldsync.devices.rules import BadToken, b64, unb64

VECTOR = json.loads(Path("tests/vectors/offline_grant.json").read_text())
KEY = Ed25519PrivateKey.from_private_bytes(unb64(VECTOR["private_key"]))
GRANT = Grant(
    session_id=UUID(int=1), person_id=UUID(int=2), name="Zoë Collector", device_id=UUID(int=3), town_code=62,
    roles=("data_collector",), began_s=1_795_000_000, expires_s=1_795_259_200,
)  # fmt: skip


def test_a_grant_is_spelled_as_the_vector_says():
    assert seal_grant(GRANT, KEY) == VECTOR["grant"]
    assert b64(KEY.public_key().public_bytes_raw()) == VECTOR["public_key"]
    assert json.loads(unb64(VECTOR["grant"].split(".")[1])) == VECTOR["facts"]


def test_a_grant_says_what_was_sealed():
    assert open_grant(VECTOR["grant"], KEY.public_key()) == GRANT


@given(st.integers(0, len(VECTOR["grant"]) - 1), st.sampled_from("AQgw_-.x"))
def test_an_altered_grant_is_none(place: int, letter: str):
    text = VECTOR["grant"]
    altered = text[:place] + letter + text[place + 1 :]
    try:
        opened = open_grant(altered, KEY.public_key())
    except BadToken:
        return
    assert opened == GRANT  # unpadded base64 has letters whose last bits say nothing


@pytest.mark.parametrize("text", ["", "g1", "g1..", "g2.e30.AA", "x" * 5000, "g1.e30.é"])
def test_what_is_no_grant_is_refused(text: str):
    with pytest.raises(BadToken):
        open_grant(text, KEY.public_key())


def test_another_servers_grant_is_none():
    with pytest.raises(BadToken):
        open_grant(seal_grant(GRANT, Ed25519PrivateKey.generate()), KEY.public_key())


@pytest.mark.parametrize(
    ("captured_s", "doubt"),
    [
        (GRANT.began_s, ""),
        (GRANT.expires_s, ""),
        (GRANT.began_s - 60, ""),  # a tablet's clock is known to some minutes
        (GRANT.expires_s + 3600, "grant-expired"),
        (GRANT.began_s - 86_400, "grant-expired"),
        (None, ""),
    ],
)
def test_what_was_captured_while_it_held_is_proven_however_late_it_is_sent(
    captured_s: float | None, doubt: str
):
    assert doubt_about(GRANT.person_id, captured_s, [GRANT]) == doubt


def test_a_grant_proves_nothing_of_others():
    assert doubt_about(uuid4(), GRANT.began_s, [GRANT]) == "author-unproven"
    later = replace(GRANT, began_s=GRANT.expires_s, expires_s=GRANT.expires_s + 10)
    assert doubt_about(GRANT.person_id, GRANT.began_s, [later, GRANT]) == ""
