"""Old shapes of mutations: golden ones as version 1 wrote them, and the way to the current version."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldsync.client.tablet import SCHEMA_VERSION
from fieldsync.push import versions
from fieldsync.push.reading import read_item
from fieldsync.push.version_1_to_2 import convert
from fieldsync.push.versions import CURRENT_VERSION, OLDEST_VERSION, SchemaTooNew, SchemaUnknown, UnitUnknown

GOLDEN = Path("tests/golden/mutations")


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / f"{name}.ndjson").read_text().splitlines()]


def test_there_is_a_way_and_a_golden_corpus_for_every_version_shipped():
    assert set(versions.CONVERTERS) == set(range(OLDEST_VERSION, CURRENT_VERSION))
    for version in range(OLDEST_VERSION, CURRENT_VERSION + 1):
        bodies = lines(f"v{version}")
        assert {body["kind"] for body in bodies} == {"card.patch", "inspection.create", "photo.declare"}
        assert {body["schema_version"] for body in bodies} == {version}


def test_the_reference_client_writes_the_current_version():
    assert SCHEMA_VERSION == CURRENT_VERSION


@pytest.mark.parametrize(("old", "new"), list(zip(lines("v1"), lines("v1_as_v2"), strict=True)))
def test_a_golden_mutation_means_what_it_meant(old: dict[str, Any], new: dict[str, Any]):
    before = copy.deepcopy(old)
    assert versions.up_convert(old, 1) == new
    assert old == before, "a converter changes nothing in place: the ledger keeps what came"


@pytest.mark.parametrize("version", range(OLDEST_VERSION, CURRENT_VERSION + 1))
def test_every_golden_mutation_can_be_read_today(version: int):
    for body in lines(f"v{version}"):
        item = read_item(body, index=0, device_id=uuid4(), schema_version=version)
        assert (item.code, item.detail) == ("", "")
        assert item.schema_version == version
        assert json.loads(item.text) == body, "the ledger keeps it word for word"


def patch(change: dict[str, Any], path: str = "gross_area_sqft") -> dict[str, Any]:
    return {"kind": "card.patch", "changes": {path: change}}


@pytest.mark.parametrize(
    ("path", "unit", "given_value", "value"),
    [
        ("building/x/gross_area_sqft", "sqm", 172, 1851),
        ("building/x/gross_area_sqft", "M2", "80.5", 866),
        ("building/x/gross_area_sqft", "sqft", "80.5", "80.5"),
        ("frontage_ft", "m", 30, "98.43"),
        ("frontage_ft", "in", 6, "0.50"),
        ("total_acres", "ha", 1, "2.4711"),
        ("total_acres", "sq ft", 43560, "1.0000"),
    ],
)
def test_a_value_of_another_unit_is_led_to_the_fields_own(path: str, unit: str, given_value: Any, value: Any):
    made = convert(patch({"base": None, "new": given_value, "unit": unit}, path))
    assert made["changes"] == {path: {"base": None, "new": value}}


def test_the_base_of_a_change_was_in_the_same_unit():
    made = convert(patch({"base": 100, "new": 110, "unit": "sqm"}))
    assert made["changes"]["gross_area_sqft"] == {"base": 1076, "new": 1184}


def test_a_unit_that_leads_nowhere_is_for_a_person(tmp_path: Path):
    body = {
        "mutation_id": str(uuid4()), "device_seq": 1, "kind": "card.patch", "entity_id": str(uuid4()),
        "captured_at": "2026-10-02T10:00:00-04:00", "changes": {"gross_area_sqft": {"new": 3, "unit": "perch"}},
    }  # fmt: skip
    item = read_item(body, index=0, device_id=uuid4(), schema_version=1)
    assert (item.code, "perch" in item.detail) == ("invalid", True)


def test_a_field_whose_row_has_a_unit_keeps_what_was_stated():
    change = {"base": "0.46", "new": "0.5", "unit": "ac"}
    assert convert(patch(change, "land_line/x/quantity"))["changes"] == {"land_line/x/quantity": change}


@pytest.mark.parametrize(
    ("kind", "more", "hint"),
    [
        ("inspection.create", {"data": {"property_id": str(uuid4()), "entry_code": "00", "observations": {}}}, "changes"),
        ("photo.declare", {"data": {"sha256": "0" * 64, "bytes": 1, "lat": 1.0, "lon": 2.0}}, "position"),
        ("card.patch", {"changes": {"gross_area_sqft": {"new": 3, "unit": "sqm"}}}, "unit"),
    ],
)  # fmt: skip
def test_what_was_of_version_1_is_not_passed_over_in_version_2(kind: str, more: dict[str, Any], hint: str):
    body = {
        "mutation_id": str(uuid4()), "device_seq": 1, "kind": kind, "entity_id": str(uuid4()),
        "captured_at": "2026-10-02T10:00:00-04:00", "schema_version": 2, **more,
    }  # fmt: skip
    item = read_item(body, index=0, device_id=uuid4(), schema_version=2)
    assert item.code == "invalid"
    assert hint in item.detail


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("a1é\0 ", max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("a1é\0 ", max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
change = st.fixed_dictionaries(
    {"new": anything}, optional={"base": anything, "unit": anything | st.sampled_from(["sqm", "m", "ac"])}
)
paths = st.sampled_from(
    ["comment", "total_acres", "building/x/gross_area_sqft", "frontage_ft", "section/x/points_ft"]
)
mutations = st.fixed_dictionaries(
    {"kind": st.sampled_from(["card.patch", "inspection.create", "photo.declare", "tree.plant"])},
    optional={
        "changes": st.dictionaries(paths, change, max_size=4) | anything,
        "data": anything
        | st.fixed_dictionaries({}, optional={"observations": st.dictionaries(paths, change) | anything, "lat": anything, "lon": anything, "note": anything}),
        "schema_version": anything,
    },
)  # fmt: skip


@given(mutations)
def test_whatever_comes_is_led_up_or_left_to_a_person(body: dict[str, Any]):
    before = copy.deepcopy(body)
    try:
        made = versions.up_convert(body, 1)
    except UnitUnknown:
        return
    assert made["schema_version"] == CURRENT_VERSION
    assert repr(body) == repr(before)
    read_item(body, index=0, device_id=uuid4(), schema_version=1)


@given(
    st.dictionaries(paths, st.fixed_dictionaries({"new": anything}, optional={"base": anything}), max_size=4)
)
def test_without_units_no_value_is_touched_and_none_is_lost(changes: dict[str, Any]):
    seen = {"kind": "inspection.create", "data": {"property_id": "p", "observations": changes}}
    made = versions.up_convert(seen, 1)
    assert repr(made["changes"]) == repr(changes)
    assert made["data"] == {"property_id": "p"}


@given(st.integers(1, 6), st.integers(1, 6))
def test_the_chain_takes_every_step_once_and_in_order(start: int, current: int):
    steps = {n: (lambda body, n=n: {"by": [*body["by"], n]}) for n in range(1, 6)}
    if start > current:
        with pytest.raises(SchemaTooNew):
            versions.up_convert({"by": []}, start, current=current, converters=steps)
    else:
        made = versions.up_convert({"by": []}, start, current=current, converters=steps)
        assert made == {"by": list(range(start, current))}


def test_a_version_that_never_was_is_unknown():
    with pytest.raises(SchemaUnknown):
        versions.up_convert({}, 0)
