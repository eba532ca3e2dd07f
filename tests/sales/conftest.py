"""A small town's properties and a small sales file."""

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from assessment.property.models import Complex, Property
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from assessment.sales.services import SalesReport, import_sales
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
HEADER = [
    "Serial Number",
    "List Year",
    "Date Recorded",
    "Town",
    "Address",
    "Assessed Value",
    "Sale Amount",
    "Property Type",
    "Residential Type",
    "Non Use Code",
    "Location",
]
ROWS = [
    ["1", "2021", "01/03/2022", "Hamden", "1 ELM STREET", "100000.0", "200000.0", "Residential", "", "", "POINT (-72.9 41.38)"],
    ["2", "2021", "01/04/2022", "Hamden", "3 ELM ST", "100000.0", "210000.0", "Residential", "", "07 - Change in Property", ""],
    ["3", "2021", "01/05/2022", "Hamden", "99 ELM ST", "100000.0", "220000.0", "Residential", "", "", ""],
    ["4", "2021", "01/06/2022", "Hamden", "10 PARK PL UNIT 4", "70000.0", "150000.0", "Residential", "Condo", "", ""],
    ["5", "2021", "01/07/2022", "Hamden", "1 ELM ST, 3 ELM ST", "200000.0", "500000.0", "Residential", "", "", ""],
    ["6", "2021", "01/08/2022", "West Hartford", "5 OAK RD", "90000.0", "100.0", "Residential", "", "", ""],
    ["7", "2021", "01/09/2022", "Avon", "5 OAK RD", "90000.0", "190000.0", "Residential", "", "", ""],
]  # fmt: skip

WriteFile = Callable[..., Path]


def make_properties() -> dict[str, object]:
    """Two houses and a condominium in Hamden, a house in West Hartford; ids by a short name."""
    made: dict[str, object] = {}
    with scope(SYSTEM, towns=[TOWN_A, TOWN_B], reason="test"):
        for name, town, address in (
            ("elm-1", TOWN_A, "1 ELM ST"),
            ("elm-3", TOWN_A, "3 ELM ST"),
            ("oak-5", TOWN_B, "5 OAK ROAD"),
        ):
            made[name] = Property.objects.create(town_id=town, account_number=name, address=address).id
        made["park"] = Complex.objects.create(
            town_id=TOWN_A, name="Park Place", code="99", address="10 PARK PLACE #1"
        ).id
    return made


@pytest.fixture
def properties(cast: Cast) -> dict[str, object]:
    """The properties of `make_properties`, beside the cast."""
    return make_properties()


@pytest.fixture
def sales_file(tmp_path: Path) -> WriteFile:
    """Write rows as a file of the state and return its path."""

    def write(rows: list[list[str]] | None = None, *, delimiter: str = ",", encoding: str = "utf-8") -> Path:
        path = tmp_path / "sales.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter)
            writer.writerow(HEADER)
            writer.writerows(ROWS if rows is None else rows)
        return path

    return write


def run_import(path: Path, **options: object) -> SalesReport:
    return import_sales(path, actor=SYSTEM, now=NOW, **options)  # type: ignore[arg-type]


def transfers(*towns: int) -> dict[str, Transfer]:
    """Transfers of the towns by serial number."""
    with scope(SYSTEM, towns=towns or (TOWN_A, TOWN_B), reason="test"):
        return {transfer.serial_number: transfer for transfer in Transfer.objects.all()}
