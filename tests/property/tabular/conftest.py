"""Small files of every bad kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assessment.property.tabular.cards import Card, CardReader
from assessment.property.tabular.mapping import CardMapping, parse_mapping
from assessment.property.tabular.problems import RowProblem
from assessment.property.tabular.reading import open_table

RAW: dict[str, Any] = {
    "card": {"key": "alias.pid"},
    "field": [
        {"to": "alias.pid", "from": ["PID", "Parcel"], "convert": "identifier", "required": True},
        {"to": "property.address", "from": "Location", "required": True},
        {"to": "property.total_acres", "from": "Acres", "convert": "decimal", "minimum": 0},
        {"to": "stated.assessed_total", "from": "Assessed_Total", "convert": "dollars"},
        {
            "to": "building.grade",
            "from": "Grade",
            "convert": "code",
            "table": "grade",
            "label_from": "Grade_Desc",
        },
        {"to": "building.bedrooms", "from": "Beds", "convert": "integer", "on_bad": "blank"},
        {"to": "sale1.date", "from": "Sale_Date", "convert": "date"},
    ],
    "codes": {"grade": {"Average": {"code": "C", "label": "Average"}}},
}


@pytest.fixture
def mapping() -> CardMapping:
    """A small mapping with one field of each sort."""
    return parse_mapping(RAW, name="small")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file in a given encoding."""

    def write_file(text: str, *, encoding: str = "utf-8", name: str = "cards.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write_file


@pytest.fixture
def read(mapping: CardMapping) -> Callable[[Path], tuple[list[Card], list[RowProblem], CardReader]]:
    """Read a file's cards and findings."""

    def read_file(path: Path) -> tuple[list[Card], list[RowProblem], CardReader]:
        reader = CardReader(mapping, open_table(path))
        found = list(reader)
        cards = [item for item in found if isinstance(item, Card)]
        return cards, [item for item in found if isinstance(item, RowProblem)], reader

    return read_file
