"""Hashes, checksums and cursors, for the server's copy and the client's alike."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsync.client import canonical as client
from fieldsync.feed import rules

VECTORS = json.loads(Path("tests/vectors/content_hash.json").read_text())
PACKAGE = UUID("01933f4a-7b1c-7a11-8d21-0f5d0a3b6c01")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc_", max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
@pytest.mark.parametrize("hashed", [rules.content_hash, client.content_hash], ids=["server", "client"])
def test_a_record_has_the_hash_of_the_vectors(hashed: Callable[..., int], case: dict[str, Any]) -> None:
    assert f"{hashed(case['kind'], case['id'], case['data']):016x}" == case["hash"]


@pytest.mark.parametrize("case", VECTORS["checksums"])
def test_both_ends_sum_alike(case: dict[str, Any]) -> None:
    hashes = [int(text, 16) for text in case["hashes"]]
    assert rules.spell_checksum(rules.checksum(hashes)) == case["checksum"]
    assert client.checksum(reversed(hashes)) == case["checksum"]


@given(VALUES)
def test_both_ends_hash_any_record_alike(value: Any) -> None:
    assert rules.content_hash("card", str(PACKAGE), value) == client.content_hash("card", str(PACKAGE), value)


@pytest.mark.parametrize("value", [{"acres": 0.25}, [[1.0]], {1: "one"}, {"half": "\ud800"}])
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(rules.NotCanonical):
        rules.canonical_json(value)


@given(st.integers(0, 2**64 - 1))
def test_a_hash_survives_the_signed_column(value: int) -> None:
    signed = rules.to_signed(value)
    assert -(2**63) <= signed < 2**63
    assert rules.to_unsigned(signed) == value


@given(st.integers(0, 2**62), st.uuids())
def test_a_cursor_reads_back(seq: int, epoch: UUID) -> None:
    cursor = rules.Cursor(epoch, PACKAGE, seq)
    assert rules.Cursor.read(cursor.token()) == cursor


@pytest.mark.parametrize(
    "token", ["", "x", "eyJ2IjoxfQ", "é", "WzFd", rules.Cursor(PACKAGE, PACKAGE, 3).token()[:-3]]
)
def test_a_damaged_cursor_is_refused(token: str) -> None:
    with pytest.raises(rules.BadCursor):
        rules.Cursor.read(token)
