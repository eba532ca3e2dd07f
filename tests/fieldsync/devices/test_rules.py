"""Enrolment codes, proofs and tokens."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fieldsync.client.device_key import DeviceKey
from fieldsync.devices import rules

VECTORS = json.loads(Path("tests/vectors/device_proof.json").read_text())
DEVICE = UUID(VECTORS["token"]["device_id"])
TOKEN = rules.DeviceToken(DEVICE, 53, expires_s=1000)
KEY = b"k" * 32


@pytest.mark.parametrize("case", VECTORS["codes"], ids=lambda case: repr(case["typed"]))
def test_a_typed_code_is_read_forgivingly_and_no_further(case: dict[str, Any]) -> None:
    if case["spelled"] is None:
        with pytest.raises(rules.BadCode):
            rules.read_code(case["typed"])
    else:
        assert rules.read_code(case["typed"]).spelled() == case["spelled"]


def test_a_made_code_reads_back_and_its_digest_tells_towns_apart() -> None:
    code = rules.make_code(53, lambda letters: letters[7])
    assert rules.read_code(code.spelled()) == code
    assert code.digest() != rules.TypedCode(54, code.secret).digest()


@pytest.mark.parametrize("case", ["enrolment", "token"])
def test_a_signature_of_the_vectors_holds_for_its_message_only(case: str) -> None:
    signed = VECTORS[case]
    message = signed["message"].encode()
    assert rules.is_signed_by(VECTORS["public_key"], message, signed["signature"])
    assert not rules.is_signed_by(VECTORS["public_key"], message + b" ", signed["signature"])
    assert not rules.is_signed_by(VECTORS["public_key"], message, signed["signature"][:-4])
    assert not rules.is_signed_by(VECTORS["public_key"], message, "not base64!")


def test_the_messages_are_those_of_the_vectors() -> None:
    code = rules.read_code(VECTORS["enrolment"]["code"])
    enrolment = rules.enrolment_message(code, VECTORS["public_key"])
    assert enrolment.decode() == VECTORS["enrolment"]["message"]
    token = rules.token_message(DEVICE, VECTORS["token"]["nonce"])
    assert token.decode() == VECTORS["token"]["message"]


def test_another_devices_signature_does_not_hold(tmp_path: Path) -> None:
    mine, other = (DeviceKey.load_or_make(tmp_path / name) for name in ("mine", "other"))
    assert rules.is_signed_by(mine.spki, b"message", mine.sign(b"message"))
    assert not rules.is_signed_by(mine.spki, b"message", other.sign(b"message"))


@pytest.mark.parametrize("spki", ["", "AAAA", "not base64!"])
def test_what_is_no_p256_key_is_refused(spki: str) -> None:
    with pytest.raises(rules.BadKey):
        rules.read_public_key(spki)


def test_a_token_opens_until_its_time_is_over() -> None:
    text = rules.seal_token("t1", TOKEN, KEY)
    assert rules.open_token("t1", text, KEY, now_s=999) == TOKEN
    with pytest.raises(rules.BadToken):
        rules.open_token("t1", text, KEY, now_s=1000)


@pytest.mark.parametrize("change", ["kind", "key", "body", "cut"])
def test_an_altered_token_is_refused(change: str) -> None:
    text = rules.seal_token("t1", TOKEN, KEY)
    kind, body, mac = text.split(".")
    other = rules.seal_token("t1", rules.DeviceToken(DEVICE, 54, 1000), KEY).split(".")[1]
    altered = {"kind": f"n1.{body}.{mac}", "key": text, "body": f"t1.{other}.{mac}", "cut": f"{kind}.{body}"}
    with pytest.raises(rules.BadToken):
        rules.open_token("t1", altered[change], b"x" * 32 if change == "key" else KEY, now_s=0)
