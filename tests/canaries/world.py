"""One of everything for a town, marked so that it is recognised wherever it turns up.

`make_world` is where a new kind of thing gets its canary: add the object, with the marker in its text, and its
id under the name that the routes use for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

import shapely
from PIL import Image

from assessment.appeals.services import receive_petition
from assessment.jobs.models import Job
from assessment.jobs.registry import RunningJob, job_handler
from assessment.property import models as record
from assessment.property.blobs import store_blob
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Person, Town
from assessment.region.rules import Permission
from assessment.region.scope import scope
from assessment.roll.models import GrandList
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import PostedLine, Posting, post_assessments
from assessment.roll.services.signing import sign_grand_list
from assessment.roll.services.standings import Change
from assessment.sales.models import SaleFinding, Transfer
from gis import models as land
from tests.cast import SYSTEM
from valuation.comparables.models import ComparableSet
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.review.models import Override
from valuation.runs.models import Conclusion, Run
from valuation.schedules.models import TableChange
from valuation.specs.services import create_spec

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)


@dataclass
class World:
    """A town with one of everything.

    Attributes
    ----------
    marker
        A text that stands in every text of the town, and nowhere else.
    ids
        What to put into an address, by the name of its parameter.
    """

    town: Town
    person: Person
    marker: str
    actor: Actor
    ids: dict[str, object] = field(default_factory=dict)


MAKERS: list[Callable[[World], None]] = []


def maker(function: Callable[[World], None]) -> Callable[[World], None]:
    """Register a function that adds its kind of thing to a world."""
    MAKERS.append(function)
    return function


def make_world(town: Town, person: Person, marker: str, actor: Actor) -> World:
    """Create one of everything in the town."""
    world = World(town=town, person=person, marker=marker, actor=actor)
    world.ids["town"] = town.slug
    with scope(SYSTEM, towns=[town.code], reason=f"canary {marker}"):
        for make in MAKERS:
            make(world)
    return world


def picture(marker: str) -> bytes:
    """Return a small JPEG, different for each marker."""
    out = BytesIO()
    Image.new("RGB", (64, 48), color=tuple(marker.encode()[:3])).save(out, "JPEG")
    return out.getvalue()


@maker
def make_property(world: World) -> None:
    town, mark = world.town.code, world.marker
    account = record.Property.objects.create(
        town_id=town,
        account_number=f"{mark}-1",
        address=f"1 {mark} ST",
        address_number="1",
        street_name=f"{mark} ST",
        neighbourhood=f"{mark}",
        comment=mark,
        use_code="101",
        state_class="100",
    )
    owner = record.Owner.objects.create(town_id=town, name=f"{mark} OWNER")
    record.Ownership.objects.create(
        town_id=town, property=account, owner=owner, valid_from=dt.date(2020, 1, 1)
    )
    building = record.Building.objects.create(
        town_id=town, property=account, style=mark, living_area_sqft=1500, detail_code="13", year_built=1950
    )
    section = record.Section.objects.create(
        town_id=town,
        property=account,
        building=building,
        label="BAS",
        points_ft=[[0, 0], [30, 0], [30, 25], [0, 25]],
        area_sqft=750,
        perimeter_ft=110,
    )
    line = record.LandLine.objects.create(town_id=town, property=account, quantity="0.5", detail_code="11")
    shed = record.Feature.objects.create(town_id=town, property=account, code="SHD", description=mark)
    record.PropertyAlias.objects.create(
        town_id=town, property=account, id_type="pid", value=f"{mark}-pid", valid_from=dt.date(2020, 1, 1)
    )
    blob = store_blob(picture(mark), town_code=town, media_type="image/jpeg")
    photo = record.Photo.objects.create(
        town_id=town,
        property=account,
        role="front",
        state="processed",
        sha256=blob.sha256,
        byte_count=blob.byte_count,
        media_type="image/jpeg",
        web_sha256=blob.sha256,
        thumbnail_sha256=blob.sha256,
    )
    inspection = record.Inspection.objects.create(
        town_id=town,
        property=account,
        purpose="revaluation",
        entry_code="00",
        visited_at=NOW,
        list_year=2025,
        note=mark,
    )
    observation = record.Observation.objects.create(
        town_id=town,
        property=account,
        inspection=inspection,
        target_kind="building",
        target_id=building.id,
        field="style",
        base_value=mark,
        value=f"{mark} seen",
        observed_on=NOW.date(),
        list_year=2025,
    )
    run = record.ImportRun.objects.create(
        town_id=town, kind="cama", file_name=f"{mark}.csv", file_sha256="0" * 64, started_at=NOW
    )
    world.ids |= {
        "property_id": account.id,
        "building_id": building.id,
        "section_id": section.id,
        "land_line_id": line.id,
        "feature_id": shed.id,
        "photo_id": photo.id,
        "inspection_id": inspection.id,
        "observation_id": observation.id,
        "import_run_id": run.id,
        "run_id": run.id,
        "sha256": blob.sha256,
        "size": "web",
    }


@job_handler("canary", title="A canary's work", permission=Permission.VIEW)
def _do_nothing(job: RunningJob) -> None:
    """Stand for any kind of job."""


@maker
def make_job(world: World) -> None:
    blob = store_blob(f"{world.marker} file".encode(), town_code=world.town.code, media_type="text/csv")
    name = f"{world.marker}.csv"
    job = Job.objects.create(
        town=world.town,
        kind="canary",
        state="succeeded",
        requested_by_name=world.marker,
        sent_at=NOW,
        finished_at=NOW,
        result={"files": [{"name": name, "sha256": blob.sha256, "byte_count": blob.byte_count}]},
    )
    world.ids |= {"job_id": job.id, "file_name": name}


@maker
def make_transfer(world: World) -> None:
    sale = Transfer.objects.create(
        town=world.town,
        list_year=2025,
        serial_number=f"{world.marker}-1",
        recorded_on=NOW.date(),
        address=f"1 {world.marker} ST",
        price=300_000,
        property_id=world.ids["property_id"],
        match_method="exact",
        suggested_validity="usable",
        suggested_reason="no-code",
    )
    SaleFinding.objects.create(
        town=world.town, transfer=sale, code="price", figure=1.0, group=world.marker, screened_at=NOW
    )
    world.ids["transfer_id"] = sale.id


@maker
def make_grand_list(world: World) -> None:
    opened = open_grand_list(world.town, actor=SYSTEM, year=2025, basis="revaluation").grand_list
    post_assessments(
        opened,
        actor=SYSTEM,
        postings=[Posting(world.ids["property_id"], (PostedLine("11", 100_000), PostedLine("13", 200_000)))],
    )
    with scope(world.actor, towns=[world.town.code]):
        sign_grand_list(opened, actor=world.actor)
    world.ids["grand_list_id"] = opened.id


@maker
def make_land(world: World) -> None:
    town, mark = world.town.code, world.marker
    fabric = land.FabricVersion.objects.create(
        town_id=town,
        number=1,
        state="current",
        source_name=f"{mark}.gpkg",
        source_sha256="0" * 64,
        source_crs="EPSG:2234",
        identifier_column="PARCEL_ID",
        row_count=1,
        parcel_count=1,
        imported_by_name=mark,
        imported_at=NOW,
    )
    shape = shapely.box(950_000, 680_000, 950_100, 680_100)
    parcel = land.Parcel.objects.create(
        town_id=town,
        fabric=fabric,
        row=1,
        parcel_key=f"{mark}-1",
        address=f"1 {mark} ST",
        attributes={"PARCEL_ID": mark},
        geom=shapely.to_wkb(shape),
        bbox=shape.bounds,
        area_sqft=shape.area,
    )
    land.ParcelProperty.objects.create(
        town_id=town, parcel=parcel, property_id=world.ids["property_id"], method="hand"
    )
    blob = store_blob(f"{mark} tiles".encode(), town_code=town, media_type="application/vnd.pmtiles")
    land.TileArchive.objects.create(
        town_id=town, fabric=fabric, blob=blob, min_zoom=12, max_zoom=15, duration_s=1, made_at=NOW
    )
    world.ids |= {
        "version": fabric.id,
        "fabric_id": fabric.id,
        "collection_id": f"{world.town.slug}-parcels",
        "item_id": parcel.id,
    }


@maker
def make_instrument_and_petition(world: World) -> None:
    grand_list = GrandList.objects.get(pk=world.ids["grand_list_id"])
    subject = record.Property.objects.get(pk=world.ids["property_id"])
    issue_instrument(
        grand_list,
        actor=SYSTEM,
        kind="correction",
        subject=subject,
        changes=[Change("assessed", "13", -700)],
        dated_on=NOW.date(),
        explanation=world.marker,
    )
    petition = receive_petition(
        grand_list,
        actor=SYSTEM,
        subject=subject,
        received_on=dt.date(2026, 2, 1),
        petitioner=world.marker,
    )
    world.ids |= {"list_id": grand_list.pk, "petition_id": petition.pk}


@maker
def make_valuation(world: World) -> None:
    spec = create_spec("canary", actor=SYSTEM, calibration={"factors": []})
    run = Run.objects.create(
        town=world.town, spec=spec, list_year=2025, state="done", note=world.marker, code_version="canary",
        started_at=NOW, started_by_name=world.marker,
    )  # fmt: skip
    conclusion = Conclusion.objects.create(
        town=world.town, run=run, property_id=world.ids["property_id"], list_year=2025, value=300_000,
        components=[["11", 300_000, None, ""]], reason=world.marker, concluded_at=NOW,
    )  # fmt: skip
    ComparableSet.objects.create(
        town=world.town, run=run, property_id=world.ids["property_id"], value=300_000, indicated=0,
        facts={"style": world.marker},
    )  # fmt: skip
    override = Override.objects.create(
        town=world.town, run=run, conclusion=conclusion, property_id=world.ids["property_id"], state="waiting",
        batch=new_id(), reason_code="unique", note=world.marker, value_before=300_000, value_after=310_000,
        components_before=[["11", 300_000, None, ""]], components_after=[["11", 310_000, None, ""]],
        proposed_by_name=world.marker, proposed_at=NOW,
    )  # fmt: skip
    change = TableChange.objects.create(
        town=world.town, run=run, schedule={}, changed=[[world.marker, "", "1", "2"]], effect={"changed": 0},
        reason=world.marker, proposed_by_name=world.marker,
    )  # fmt: skip
    world.ids["table_change_id"] = change.id
    IncomeReturn.objects.create(
        town=world.town, property_id=world.ids["property_id"], income_year=2024, received_on=NOW.date(),
        area_sqft=1500, gross_rent=30_000, note=world.marker, recorded_by_name=world.marker,
    )  # fmt: skip
    IncomeRates.objects.create(
        town=world.town, list_year=2025, mill_rate=30, source=world.marker, recorded_by_name=world.marker,
        rates={"commercial": {"rent_dollars": 18.5}}, weights={"commercial": 50},
    )  # fmt: skip
    world.ids |= {"valuation_run_id": run.id, "conclusion_id": conclusion.id, "override_id": override.id}
    world.ids["batch_id"] = override.batch
