"""Merge policies and invariants are of fields that exist."""

from __future__ import annotations

import pytest

from assessment.property.merge import PolicyKind
from assessment.property.rules.detail_codes import building_detail_code, land_detail_code
from assessment.property.rules.policies import POLICIES, broken_invariant, policy_of
from assessment.property.targets import TARGETS, changeable_fields


def test_every_declared_policy_is_of_a_field_of_the_record() -> None:
    assert set(POLICIES) <= set(TARGETS)
    for kind, fields in POLICIES.items():
        assert set(fields) <= set(changeable_fields(kind)), kind


def test_a_field_without_a_policy_waits_for_a_person() -> None:
    assert policy_of("building", "style").kind is PolicyKind.CONFLICT


@pytest.mark.parametrize(
    ("kind", "values", "says"),
    [
        ("building", {"year_built": 1500}, "plausible"),
        ("building", {"year_built": 1950, "effective_year_built": 1949}, "before"),
        ("building", {"living_area_sqft": 900, "gross_area_sqft": 899}, "more than"),
        ("building", {"percent_good": 101}, "percentage"),
        ("property", {"is_retired": True, "retired_on": None}, "day"),
    ],
)
def test_a_contradiction_on_a_card_is_said(kind: str, values: dict[str, object], says: str) -> None:
    assert says in broken_invariant(kind, values)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_blank_row_contradicts_nothing(kind: str) -> None:
    assert broken_invariant(kind, {}) == ""


def test_detail_codes_follow_the_class_unless_the_use_code_says_otherwise() -> None:
    # SOURCE: OPM Administrative Abstract Coding System, updated 8 September 2025
    assert (land_detail_code("100"), building_detail_code("100")) == ("11", "13")
    assert (land_detail_code("200"), building_detail_code("300")) == ("21", "32")
    assert building_detail_code("100", "15") == "15"
    assert (land_detail_code("500", "51"), building_detail_code("500", "51")) == ("51", "")
    assert land_detail_code("", "13") == ""
