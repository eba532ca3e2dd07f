"""Towns with properties, owners and stated values, as many as a test or a benchmark asks for."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from uuid import UUID

from assessment.property.models import Owner, Ownership, Property, StatedValue
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.roll.services.posting import PostedLine, Posting

SINCE = dt.date(2015, 1, 1)
NAMES = ("Abbott", "Núñez", "Ortiz", "O'Hara", "Smith", "Zito", "van der Berg", "Łukasz")


@dataclass(frozen=True)
class Sample:
    """What was made: the properties' ids in the order of their accounts."""

    town: Town
    ids: tuple[UUID, ...]


def make_properties(town: Town, number: int, *, exempt_every: int = 50, protected_every: int = 100) -> Sample:
    """Create properties with one owner each; some exempt, some owned by protected persons. Needs a scope."""
    draw = random.Random(number)
    properties, owners, ownerships = [], [], []
    for place in range(1, number + 1):
        exempt = bool(exempt_every) and place % exempt_every == 0
        item = Property(
            id=new_id(), town=town, account_number=f"{place:06d}", address=f"{place} Elm St",
            state_class="" if exempt else "100", exempt_code="HAAX" if exempt else "", use_code="1010",
        )  # fmt: skip
        owner = Owner(
            id=new_id(), town=town, name=f"{draw.choice(NAMES)} {place}", mailing_address=f"PO Box {place}",
            mailing_city="Hamden", mailing_state="CT", mailing_zip="06514",
        )  # fmt: skip
        properties.append(item)
        owners.append(owner)
        ownerships.append(
            Ownership(
                id=new_id(), town=town, property=item, owner=owner, valid_from=SINCE,
                is_confidential=bool(protected_every) and place % protected_every == 0,
            )
        )  # fmt: skip
    Property.objects.bulk_create(properties, batch_size=5000)
    Owner.objects.bulk_create(owners, batch_size=5000)
    Ownership.objects.bulk_create(ownerships, batch_size=5000)
    return Sample(town, tuple(item.id for item in properties))


def state_values(sample: Sample, year: int) -> None:
    """State land, building, outbuilding and total of each property, assessed with its outbuildings in the building."""
    draw = random.Random(year)
    rows = []
    for place, key in enumerate(sample.ids, start=1):
        land, building = draw.randrange(40_000, 200_000, 100), draw.randrange(80_000, 500_000, 100)
        shed = draw.randrange(1_000, 9_000, 100) if place % 3 == 0 else 0
        assessed_land = land * 7 // 10
        assessed_building = building * 7 // 10 + shed * 7 // 10
        parts = [("land", land, assessed_land), ("building", building, assessed_building)]
        if shed:
            parts.append(("outbuilding", shed, None))
        parts.append(("total", land + building + shed, assessed_land + assessed_building))
        rows += [
            StatedValue(
                id=new_id(), town=sample.town, property_id=key, list_year=year, basis="card",
                component=component, appraised=appraised, assessed=assessed,
            )
            for component, appraised, assessed in parts
        ]  # fmt: skip
    StatedValue.objects.bulk_create(rows, batch_size=5000)


def valued(sample: Sample, seed: int = 1) -> list[Posting]:
    """Return a posting of land, dwelling and sometimes an outbuilding for each property."""
    draw = random.Random(seed)
    postings = []
    for place, key in enumerate(sample.ids, start=1):
        lines = [
            PostedLine("11", draw.randrange(40_000, 200_000, 50)),
            PostedLine("13", draw.randrange(80_000, 500_000, 50)),
        ]
        if place % 3 == 0:
            lines.append(PostedLine("14", draw.randrange(1_000, 9_000, 50)))
        postings.append(Posting(key, tuple(lines)))
    return postings
