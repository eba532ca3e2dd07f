"""Locations taken apart and compared."""

from __future__ import annotations

import pytest

from assessment.property.rules.addresses import Location, address_key, split_address


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("12 ELM ST", Location("12", "ELM ST", "")),
        ("  12   ELM ST #4 ", Location("12", "ELM ST", "4")),
        ("12A ELM ST UNIT 4-B", Location("12A", "ELM ST", "4-B")),
        ("12-14 ELM ST", Location("12-14", "ELM ST", "")),
        ("12 1/2 ELM ST", Location("121/2", "ELM ST", "")),
        ("0 ELM ST", Location("", "ELM ST", "")),
        ("ELM ST REAR", Location("", "ELM ST REAR", "")),
        ("", Location("", "", "")),
    ],
)
def test_a_location_has_number_street_and_unit(address: str, parts: Location) -> None:
    assert split_address(address) == parts


@pytest.mark.parametrize("other", ["12 Elm Street", "12 ELM ST.", " 12  elm st"])
def test_spellings_of_one_address_compare_alike(other: str) -> None:
    assert address_key(other) == address_key("12 ELM ST")


@pytest.mark.parametrize("other", ["12 ELM AVE", "13 ELM ST", "12 ELM ST #2", "12 NORTH ELM ST"])
def test_other_addresses_do_not(other: str) -> None:
    assert address_key(other) != address_key("12 ELM ST")


def test_an_address_without_a_number_is_compared_with_nothing() -> None:
    assert address_key("0 ELM ST") == address_key("ELM ST") == ""
