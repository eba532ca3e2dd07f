"""What a client in any language computes as this one does; a later tablet reads the same files."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fieldsync.client.overlay import overlaid
from fieldsync.client.store import patched
from fieldsync.push.rules import body_sha256, receipt

FOLDER = Path("tests/vectors")
OVERLAY = json.loads((FOLDER / "overlay.json").read_text())
PUSH = json.loads((FOLDER / "push.json").read_text())


def name_of(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", OVERLAY["cases"], ids=name_of)
def test_a_collector_sees_the_view_of_the_vectors(case: dict[str, Any]) -> None:
    assert overlaid(OVERLAY["card"], case["mutations"]) == case["shown"]


@pytest.mark.parametrize("case", PUSH["mutations"], ids=name_of)
def test_a_mutation_has_the_hash_and_the_receipt_of_the_vectors(case: dict[str, Any]) -> None:
    assert body_sha256(case["body"]) == case["sha256"]
    given = receipt(
        device_id=UUID(PUSH["device_id"]),
        mutation_id=UUID(case["body"]["mutation_id"]),
        sha256=case["sha256"],
        status=case["status"],
        key=bytes.fromhex(PUSH["key_hex"]),
    )
    assert given == case["receipt"]


@pytest.mark.parametrize("case", PUSH["patches"], ids=name_of)
def test_a_patch_makes_the_card_of_the_vectors(case: dict[str, Any]) -> None:
    assert patched(copy.deepcopy(PUSH["card"]), case["patch"]) == case["card"]
