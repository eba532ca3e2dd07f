"""An office with a dozen properties, and with a list of them that is signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.models import Town
from assessment.region.scope import scope
from assessment.roll.models import GrandList
from assessment.roll.services.balancing import balance_grand_list
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.signing import sign_grand_list
from tests.cast import Cast, make_cast
from tests.databases import TestDatabase
from tests.roll.building import Sample, make_properties, state_values

BASE = dt.date(2020, 10, 1)


@dataclass(frozen=True)
class Office:
    """Town A's assessor at work on a sample of properties, inside the town's scope."""

    cast: Cast
    town: Town
    assessor: Actor
    deputy: Actor
    sample: Sample

    def property(self, place: int) -> Property:
        """The property at a place of the sample, from 0."""
        return Property.objects.get(pk=self.sample.ids[place])

    def convert(self, year: int = 2024) -> GrandList:
        """Open a list by conversion."""
        report = open_grand_list(
            self.town, actor=self.assessor, year=year, basis="conversion", base_revaluation_on=BASE
        )
        return report.grand_list

    def sign(self, grand_list: GrandList) -> GrandList:
        """Balance a list if it is a conversion, and sign it."""
        if grand_list.basis == GrandList.Basis.CONVERSION:
            balance_grand_list(grand_list, actor=self.assessor)
        sign_grand_list(grand_list, actor=self.assessor)
        return GrandList.objects.get(pk=grand_list.pk)


def make_office(cast: Cast, number: int) -> Office:
    """Make the properties and their stated values; needs an open scope of town A."""
    sample = make_properties(cast.town_a, number, exempt_every=6, protected_every=5)
    state_values(sample, 2024)
    return Office(cast, cast.town_a, cast.actor(cast.assessor_a), cast.actor(cast.deputy_a), sample)


@pytest.fixture
def office(cast: Cast) -> Iterator[Office]:
    """Twelve properties of town A: two exempt, two owned by protected persons."""
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        yield make_office(cast, 12)


@pytest.fixture
def signed(office: Office) -> GrandList:
    """The list of 2024, converted, balanced and signed."""
    return office.sign(office.convert())


@dataclass(frozen=True)
class CommittedOffice:
    """The same with real commits, for what a superuser or a file outside the database is needed."""

    database: TestDatabase
    office: Office
    grand_list: GrandList


@pytest.fixture
def committed(committed_db: TestDatabase) -> CommittedOffice:
    """Forty properties and their signed list, committed."""
    cast = make_cast()
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="a test"):
        office = make_office(cast, 40)
        grand_list = office.sign(office.convert())
    return CommittedOffice(committed_db, office, grand_list)
