"""docs/imports.md names everything that a mapping may say and a report may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from assessment.property.tabular import converters, targets, units
from assessment.property.tabular.problems import Reason
from assessment.property.tabular.shipped import shipped_mappings

DOC = (Path(__file__).resolve().parents[2] / "docs" / "imports.md").read_text()
# Codes that no import gives today: kept stable for those that will.
NOT_GIVEN = {Reason.OTHER_TOWN, Reason.BREAKS_RULE}


@pytest.mark.parametrize(
    "word",
    [
        *(str(reason) for reason in Reason if reason not in NOT_GIVEN),
        *targets.FIELD_KEYS,
        *converters.NAMES,
        *units.FACTORS,
        *(mapping.name for mapping in (*shipped_mappings(), *shipped_mappings("points"))),
    ],
)
def test_the_document_names_it(word: str) -> None:
    assert f"`{word}`" in DOC


@pytest.mark.parametrize("part", targets.TARGETS)
def test_the_document_names_each_part_of_a_card(part: str) -> None:
    assert f"`{part}" in DOC
