"""What an item of a push may be, and its receipt."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsync.push import rules, versions

DEVICE = UUID("01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01")
MUTATION = UUID("01933f4a-7b1c-7a11-8d21-0f5d0a3b6c02")


@pytest.mark.parametrize(
    "value",
    [{"note": "a\0b"}, {"a\0": 1}, [["\0"]], {"note": "\ud800"}, {"x": float("inf")}, {"x": float("nan")}],
)
def test_what_postgresql_cannot_hold_is_found_and_kept_escaped(value: Any) -> None:
    with pytest.raises(rules.Unstorable):
        rules.storable_json(value)
    kept = json.loads(rules.escaped_json(value))
    assert bytes.fromhex(kept["unstorable"]).decode("ascii") == json.dumps(value, sort_keys=True)


def test_a_backslash_before_u0000_is_only_text() -> None:
    assert json.loads(rules.storable_json({"note": r"\u0000"})) == {"note": r"\u0000"}


def test_the_order_of_keys_makes_no_other_body() -> None:
    assert rules.body_sha256({"a": 1, "b": 2}) == rules.body_sha256({"b": 2, "a": 1})
    assert rules.body_sha256({"a": 1}) != rules.body_sha256({"a": "1"})


def test_nesting_is_limited() -> None:
    rules.refuse_deep({"a": [{"b": 1}]}, allowed=3)
    with pytest.raises(rules.TooDeep):
        rules.refuse_deep({"a": [{"b": 1}]}, allowed=2)


def test_a_receipt_changes_with_everything_it_vouches_for() -> None:
    facts: dict[str, Any] = {
        "device_id": DEVICE,
        "mutation_id": MUTATION,
        "sha256": "00" * 32,
        "status": "applied",
        "key": b"k",
    }
    others = [
        {"device_id": MUTATION},
        {"mutation_id": DEVICE},
        {"sha256": "11" * 32},
        {"status": "noop"},
        {"key": b"x"},
    ]
    receipts = {rules.receipt(**{**facts, **change}) for change in [{}, *others]}
    assert len(receipts) == 6
    assert all(text.startswith("r1.") for text in receipts)


@given(st.sets(st.integers(1, 40)), st.integers(0, 10))
def test_the_acknowledged_number_has_everything_below_it(received: set[int], acknowledged: int) -> None:
    new = rules.advance(acknowledged, received)
    assert new >= acknowledged
    assert set(range(acknowledged + 1, new + 1)) <= received
    assert new + 1 not in received


def test_old_bodies_are_led_up_the_chain_one_version_at_a_time() -> None:
    chain = {1: lambda body: {**body, "two": True}, 2: lambda body: {**body, "three": True}}
    assert versions.up_convert({}, 1, current=3, converters=chain) == {"two": True, "three": True}
    assert versions.up_convert({}, 3, current=3, converters=chain) == {}
    with pytest.raises(versions.SchemaTooNew):
        versions.up_convert({}, 4, current=3, converters=chain)
    with pytest.raises(versions.SchemaUnknown):
        versions.up_convert({}, 0, current=3, converters=chain)


def test_every_version_below_the_current_one_has_a_converter() -> None:
    assert set(versions.CONVERTERS) == set(range(1, versions.CURRENT_VERSION))
