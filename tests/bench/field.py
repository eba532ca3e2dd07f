"""A town, a package and a tablet for the benchmarks of the field."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import CharField, F, Value
from django.db.models.functions import Concat

from assessment.project.postgres import OWNER, ensure_cluster
from assessment.property.models import Building, Feature, LandLine, Owner, Ownership, Property, Section
from assessment.property.services.locks import raise_versions
from assessment.region.models import Town
from assessment.region.rules import Role
from assessment.region.scope import scope
from assessment.region.services import assign_role, create_person, set_policy
from fieldsync.client import Tablet
from fieldsync.devices.services import make_enrolment_code
from fieldsync.packages.rules import Selection
from fieldsync.packages.services import build_package, draw_package
from tests.cast import SYSTEM, TOWN_A

SINCE = dt.date(2020, 1, 1)


def make_town(count: int) -> list[UUID]:
    """Fill the town with ``count`` houses and let every field of a building through at once."""
    with scope(SYSTEM, towns=[TOWN_A], reason="benchmark"):
        set_policy(
            Town.objects.get(code=TOWN_A), actor=SYSTEM, key="auto_accept_observations",
            value={"building": ["any"], "property": ["any"]}, valid_from=SINCE,
        )  # fmt: skip
        properties = Property.objects.bulk_create(
            (
                Property(town_id=TOWN_A, account_number=f"{n:06}", address=f"{n} MAIN ST", neighbourhood="12")
                for n in range(count)
            ),
            batch_size=2000,
        )
        Building.objects.bulk_create(
            (
                Building(
                    town_id=TOWN_A, property=p, style="Colonial", grade="C", condition="Average",
                    year_built=1950, living_area_sqft=1820, gross_area_sqft=9000, bedrooms=3, full_baths=1,
                    exterior_wall="Vinyl", roof_cover="Asphalt", heat_fuel="Gas", heat_type="Hot water",
                )
                for p in properties
            ),
            batch_size=2000,
        )  # fmt: skip
    with ensure_cluster(Path(settings.VAR_DIR)).connect(OWNER, "grandlist") as connection:
        connection.execute("ANALYZE")  # as autovacuum does within a minute, and imports at their end
    return [row.id for row in properties]


def make_tablet(folder: Path, address: str) -> Tablet:
    """Enrol a tablet carried by a data collector."""
    email = f"{folder.name}@example.org"
    person = create_person(email, actor=SYSTEM, name=f"Collector {folder.name}")
    with scope(SYSTEM, towns=[TOWN_A], reason="benchmark"):
        town = Town.objects.get(code=TOWN_A)
        assign_role(person, actor=SYSTEM, town=town, role=Role.DATA_COLLECTOR, valid_from=SINCE)
        code = make_enrolment_code(TOWN_A, actor=SYSTEM, person_id=person.id)
    tablet = Tablet(folder, address)
    tablet.enrol(code, name=folder.name)
    return tablet


def give_package(tablet: Tablet, property_ids: list[UUID]) -> str:
    """Draw and build a package of the properties for the tablet."""
    with scope(SYSTEM, towns=[TOWN_A], reason="benchmark"):
        package = draw_package(
            TOWN_A,
            actor=SYSTEM,
            title="Benchmark",
            selection=Selection(property_ids=tuple(property_ids), limit=20_000),
            list_year=2026,
            device_id=UUID(tablet.device_id),
        )
    build_package(package.id, town_code=TOWN_A, actor=SYSTEM)
    return str(package.id)


def make_full_town(count: int) -> list[UUID]:
    """Fill the town with ``count`` houses as towns have them: no two cards alike, and all of a card's rows."""
    property_ids = make_town(count)
    draw = random.Random(7)
    words = ("ELM", "OAK", "PINE", "MAPLE", "CHERRY", "WALNUT", "CEDAR", "BIRCH", "ASH", "LAUREL")
    rows: dict[str, list[Any]] = {"owners": [], "held": [], "land": [], "features": [], "sections": []}
    with scope(SYSTEM, towns=[TOWN_A], reason="benchmark"):
        buildings = list(Building.objects.order_by("property_id"))
        for building in buildings:
            town: dict[str, Any] = {"town_id": TOWN_A, "property_id": building.property_id}
            name = f"{draw.choice(words)}SON {draw.choice(words)} {draw.randrange(10_000)}"
            rows["owners"].append(Owner(town_id=TOWN_A, name=name))
            rows["held"].append(Ownership(owner=rows["owners"][-1], valid_from=SINCE, **town))
            rows["land"].append(LandLine(quantity=f"0.{draw.randrange(10, 99)}", detail_code="11", **town))
            rows["features"].append(Feature(code="SHD", quantity=draw.randrange(40, 200), **town))
            for label in ("BAS", "FUS"):
                wide, deep = draw.randrange(20, 48), draw.randrange(20, 40)
                rows["sections"].append(
                    Section(
                        building=building, label=label, points_ft=[[0, 0], [wide, 0], [wide, deep], [0, deep]],
                        area_sqft=wide * deep, perimeter_ft=2 * (wide + deep), **town,
                    )
                )  # fmt: skip
            building.year_built = draw.randrange(1880, 2020)
            building.living_area_sqft = draw.randrange(900, 3200)
            building.style = draw.choice(("Colonial", "Cape Cod", "Ranch", "Raised Ranch", "Split Level"))
        for model, made in zip((Owner, Ownership, LandLine, Feature, Section), rows.values(), strict=True):
            model._default_manager.bulk_create(made, batch_size=2000)
        Building.objects.bulk_update(buildings, ["year_built", "living_area_sqft", "style"], batch_size=1000)
        Property.objects.update(
            address=Concat("address", Value(" OLD MILL"), output_field=CharField()), use_code="101"
        )
    with ensure_cluster(Path(settings.VAR_DIR)).connect(OWNER, "grandlist") as connection:
        connection.execute("ANALYZE")
    return property_ids


def change_three_fields(property_ids: list[UUID]) -> None:
    """Change three fields of the building of each, 200 houses a transaction, as pushes do."""
    for start in range(0, len(property_ids), 200):
        with scope(SYSTEM, towns=[TOWN_A], reason="benchmark"):
            some = Building.objects.filter(property_id__in=property_ids[start : start + 200])
            some.update(
                bedrooms=F("bedrooms") + 1,
                living_area_sqft=F("living_area_sqft") + 20,
                grade=Concat("grade", Value("+"), output_field=CharField()),
            )
            raise_versions(property_ids[start : start + 200])
