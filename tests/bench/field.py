"""A town, a package and a tablet for the benchmarks of the field."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from uuid import UUID

from django.conf import settings

from assessment.project.postgres import OWNER, ensure_cluster
from assessment.property.models import Building, Property
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
