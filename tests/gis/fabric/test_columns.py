from __future__ import annotations

import pytest

from gis.fabric.rules.columns import find_columns, plain_text, similar_names


def test_case_and_punctuation_of_a_column_name_do_not_matter() -> None:
    for name in ("Parcel_ID", "PARCELID", "parcel id"):
        assert find_columns({name: ["1", "2"]}).identifier == name


def test_a_known_name_without_distinct_values_is_passed_over() -> None:
    found = find_columns({"ParcelID": ["1", "1", "1", "1"], "PID": ["7", "8", "9", "10"]})
    assert found.identifier == "PID"
    assert found.aliases == ()


def test_a_known_name_mostly_empty_is_passed_over() -> None:
    assert find_columns({"ParcelID": [None, "", "3"]}).identifier is None


def test_the_other_identifying_columns_become_aliases() -> None:
    found = find_columns({"id": ["7", "8"], "giscode": ["1-1", "1-2"], "link": ["52-7", "52-8"]})
    assert (found.identifier, found.aliases) == ("giscode", ("link", "id"))


def test_a_stated_identifier_is_taken_as_it_is() -> None:
    assert (
        find_columns({"ParcelID": ["1", "2"], "whatever": ["9", "9"]}, identifier="whatever").identifier
        == "whatever"
    )


def test_the_state_collections_header_is_understood() -> None:
    header = ["Town_Name", "Parcel_ID", "Parcel_Type", "Link", "Location", "State_Use", "Land_Acres"]
    found = find_columns({name: ["1", "2", "3"] for name in header})
    assert (found.address, found.kind, found.use, found.acres) == (
        "Location",
        "Parcel_Type",
        "State_Use",
        "Land_Acres",
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (12.0, "12"), (12.5, "12.5"), (7, "7"), ("  0151 1  33 ", "0151 1 33")],
)
def test_a_cell_is_read_as_people_mean_it(value: object, text: str) -> None:
    assert plain_text(value) == text


def test_a_misspelt_column_is_suggested() -> None:
    assert similar_names("parcel_id", ["OBJECTID", "ParcelID"]) == "ParcelID"
    assert similar_names("nothing", ["OBJECTID"]) is None
