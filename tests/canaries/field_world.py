"""The field's canaries: a tablet, a package, a pushed change and a conflict."""

from __future__ import annotations

from assessment.property.models import Observation
from assessment.region.ids import new_id
from fieldsync.conflicts.models import Conflict
from fieldsync.devices.models import Device
from fieldsync.packages.rules import Selection
from fieldsync.packages.services import draw_package
from fieldsync.photos.models import Upload
from fieldsync.push.models import Mutation, Quarantine
from fieldsync.push.rules import Status
from fieldsync.quality.models import Recheck, RecheckItem
from fieldsync.reconciliation.models import Statement
from tests.canaries.world import NOW, World, maker
from tests.cast import SYSTEM


@maker
def make_field(world: World) -> None:
    town, mark = world.town.code, world.marker
    device = Device.objects.create(
        town_id=town, name=f"{mark} tablet", public_key=mark, enrolled_at=NOW, last_seen_at=NOW
    )
    package = draw_package(
        town,
        actor=SYSTEM,
        title=f"{mark} package",
        selection=Selection(street=f"{mark} ST"),
        list_year=2025,
        device_id=device.id,
    )
    mutation = Mutation.objects.create(
        town_id=town,
        mutation_id=new_id(),
        device=device,
        device_seq=1,
        batch_id=new_id(),
        kind="card.patch",
        schema_version=1,
        body={"mark": mark},
        sha256="0" * 64,
        status=Status.CONFLICT,
        received_at=NOW,
    )
    conflict = Conflict.objects.create(
        town_id=town,
        property_id=world.ids["property_id"],
        mutation=mutation,
        device=device,
        field="comment",
        base=mark,
        theirs=f"{mark} office",
        ours=f"{mark} field",
        ours_author=mark,
        arose_at=NOW,
    )
    kept = Mutation.objects.create(
        town_id=town, mutation_id=new_id(), device=device, device_seq=2, batch_id=new_id(), kind="card.patch",
        schema_version=2, body={"mark": mark}, sha256="0" * 64, status=Status.MERGED, received_at=NOW,
        result={"fields": {"zoning": "office-kept"}},
    )  # fmt: skip
    Observation.objects.create(
        town_id=town, property_id=world.ids["property_id"], target_kind="property", field="zoning",
        target_id=world.ids["property_id"], value=f"{mark} zone", observed_on=NOW.date(), list_year=2025,
        state="superseded", decided_rule="office-kept", decided_at=NOW, mutation_id=kept.mutation_id,
    )  # fmt: skip
    waiting = Quarantine.objects.create(
        town_id=town, mutation=mutation, device=device, code="unknown-kind", detail=mark, quarantined_at=NOW
    )
    statement = Statement.objects.create(
        town_id=town, device=device, stated_at=NOW, records_claimed=1, records_here=1, photos_claimed=0,
        photos_here=0, held_count=0, quarantined_count=1, open_conflict_count=1, is_complete=True,
        is_store_lost=False, summary=f"{mark} statement", token=f"s1.{mark}",
    )  # fmt: skip
    upload = Upload.objects.create(
        town_id=town, device=device, photo_id=new_id(), sha256="0" * 64, length=9, media_type="image/jpeg",
        state=Upload.State.QUARANTINED, began_at=NOW, expires_at=NOW, finished_at=NOW, decision_reason=mark,
    )  # fmt: skip
    recheck = Recheck.objects.create(
        town_id=town,
        package=package,
        first_person=world.person,
        seed=1,
        percent=5,
        population=1,
        drawn_at=NOW,
    )
    RecheckItem.objects.create(
        town_id=town,
        recheck=recheck,
        property_id=world.ids["property_id"],
        first_inspection_id=world.ids["inspection_id"],
        comparison=[{"path": mark, "first": mark, "second": mark, "agrees": True}],
    )
    world.ids |= {
        "recheck_id": recheck.id,
        "device_id": device.id,
        "package_id": package.id,
        "mutation_id": mutation.id,
        "conflict_id": conflict.id,
        "quarantine_id": waiting.id,
        "upload_id": upload.id,
        "statement_id": statement.id,
    }
