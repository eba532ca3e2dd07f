"""A town of 260 houses with 200 sales, made from known tables, and its assessor at work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from assessment.property.models import Building, LandLine, Property
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.roll.models import GrandList
from assessment.roll.services.opening import open_grand_list
from assessment.sales.models import Transfer
from tests.cast import Cast
from tests.valuation.cost.test_schedule import SCHEDULE
from valuation.cost.rules import components
from valuation.runs.models import Run
from valuation.runs.services import run_valuation
from valuation.specs.models import ModelSpec
from valuation.specs.services import create_spec

YEAR = 2025
HOUSES, SALES = 260, 200


@dataclass(frozen=True)
class Bureau:
    """The assessor of town A, the town's houses in order, and a model."""

    cast: Cast
    town: Town
    assessor: Actor
    houses: list[Property]
    spec: ModelSpec

    def run(self, **options: object) -> Run:
        wanted = {"year": YEAR, **options}
        return run_valuation(self.town, spec=self.spec, actor=self.assessor, **wanted)  # type: ignore[arg-type]

    def revaluation(self) -> GrandList:
        return open_grand_list(self.town, actor=self.assessor, year=YEAR, basis="revaluation").grand_list


def make_town(town: Town) -> list[Property]:
    """Make houses and sales: 1.3 times what the schedule gives, with noise; six properties are special."""
    random = np.random.default_rng(4)
    facts = pd.DataFrame(
        {
            "land_sqft": np.exp(random.normal(9.6, 0.5, HOUSES)).round(),
            "living_sqft": np.exp(random.normal(7.3, 0.3, HOUSES)).round(),
            "year_built": random.integers(1930, 2020, HOUSES),
            "style": random.choice(["Ranch", "Cape"], HOUSES),
            "grade": random.choice(["C", "C", "B"], HOUSES),
            "condition": random.choice(["A", "A", "F"], HOUSES),
            "neighbourhood": random.choice(["N1", "N2"], HOUSES),
            "baths": random.integers(1, 4, HOUSES).astype(float),
        }
    )
    worth = 1.3 * components(SCHEDULE, facts, as_of=dt.date(YEAR, 10, 1)).total
    prices = worth * np.exp(random.normal(0, 0.1, HOUSES))
    days = dt.date(YEAR - 2, 10, 2).toordinal() + random.integers(0, 900, HOUSES)
    houses, lines, buildings, sales = [], [], [], []
    for number, row in enumerate(facts.itertuples(index=False)):
        house = Property(
            town=town, account_number=f"{number:05d}", address=f"{number} ELM ST", state_class="100",
            neighbourhood=row.neighbourhood, location_x_ft=950_000 + number, location_y_ft=690_000 - number,
        )  # fmt: skip
        houses.append(house)
        lines.append(LandLine(town=town, property=house, quantity=row.land_sqft, unit="sqft"))
        if number == 0:
            continue
        buildings.append(
            Building(
                town=town,
                property=house,
                style=row.style,
                grade=row.grade,
                condition=row.condition,
                year_built=row.year_built,
                living_area_sqft=None if number == 1 else int(row.living_sqft),
                full_baths=int(row.baths),
            )
        )
        if number >= HOUSES - SALES:
            sales.append(
                Transfer(
                    town=town,
                    list_year=YEAR,
                    serial_number=str(number),
                    price=int(prices[number]),
                    recorded_on=dt.date.fromordinal(int(days[number])),
                    property=house,
                    match_method="exact",
                    suggested_validity="usable",
                    suggested_reason="none",
                )
            )
    houses[0].state_class = "500"
    buildings.append(
        Building(
            town=town,
            property=houses[2],
            building_number=2,
            style="Cape",
            grade="C",
            condition="A",
            year_built=1960,
            living_area_sqft=800,
            full_baths=1,
        )
    )
    Property.objects.bulk_create(houses)
    LandLine.objects.bulk_create(lines)
    Building.objects.bulk_create(buildings)
    Transfer.objects.bulk_create(sales)
    return houses


@pytest.fixture
def bureau(cast: Cast) -> Iterator[Bureau]:
    assessor = cast.actor(cast.assessor_a)
    with scope(assessor, towns=[cast.town_a.code], reason="a test"):
        houses = make_town(cast.town_a)
        spec = create_spec("made", actor=assessor, schedule=SCHEDULE.as_json())
        yield Bureau(cast, cast.town_a, assessor, houses, spec)
