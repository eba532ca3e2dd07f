"""A revoked tablet's photos, bytes that nobody declared, and photos that do not come."""

from __future__ import annotations

import datetime as dt
import hashlib
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from assessment.property.blobs import blob_path, store_blob
from assessment.property.models import Blob, Photo
from assessment.region.errors import Conflict, Forbidden, NotFound
from assessment.region.ids import new_id
from assessment.region.models import Person
from assessment.region.scope import scope
from fieldsync.client import Tablet, uploads
from fieldsync.devices.lifecycle import set_device_state
from fieldsync.devices.models import Device
from fieldsync.photos import custody, tasks
from fieldsync.photos.models import Upload
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.fieldsync.conftest import House
from tests.fieldsync.photos.test_uploads import describe, make_bytes

DAY = dt.timedelta(days=1)


def photo_of(photo_id: str | UUID) -> Photo:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Photo.objects.get(id=photo_id)


def upload_of(sha256: str) -> Upload:
    with scope(SYSTEM, towns=[TOWN_A]):
        return Upload.objects.get(sha256=sha256)


def revoke(tablet: Tablet) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        set_device_state(UUID(tablet.device_id), Device.State.REVOKED, actor=SYSTEM, reason="lost")


def deposit(tablet: Tablet, house: House) -> tuple[str, Upload]:
    """A photo declared by a good tablet whose bytes come after it was revoked."""
    photo_id = tablet.take_photo(make_bytes(), property_id=str(house.property_id))
    tablet.push()
    revoke(tablet)
    tablet.upload_photos()
    return photo_id, upload_of(hashlib.sha256(make_bytes()).hexdigest())


def test_a_revoked_tablets_photo_is_kept_and_waits_for_a_person(
    tablet: Tablet, houses: list[House], cast: Cast
) -> None:
    photo_id, upload = deposit(tablet, houses[0])
    assert (upload.state, photo_of(photo_id).state) == ("quarantined", "declared")
    assert default_storage.exists(blob_path(upload.sha256))
    with scope(cast.actor(cast.collector_a), towns=[TOWN_A]), pytest.raises(Forbidden):
        custody.release_upload(upload.id, actor=cast.actor(cast.collector_a), reason="I know it")
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        custody.release_upload(upload.id, actor=actor, reason="the tablet was found")
    assert photo_of(photo_id).state == "verified"
    assert upload_of(upload.sha256).decided_by_id == cast.assessor_a.id


def test_a_photo_whose_bytes_are_not_here_is_not_released(
    tablet: Tablet, houses: list[House], cast: Cast
) -> None:
    photo_id, upload = deposit(tablet, houses[0])
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        Blob.objects.filter(sha256=upload.sha256).delete()
        with pytest.raises(Conflict, match="not on this server"):
            custody.release_upload(upload.id, actor=actor, reason="the tablet was found")
    assert (upload_of(upload.sha256).state, photo_of(photo_id).state) == ("quarantined", "declared")


def test_discarding_takes_two_persons(tablet: Tablet, houses: list[House], cast: Cast) -> None:
    photo_id, upload = deposit(tablet, houses[0])

    def discard(person: Person) -> Upload:
        actor = cast.actor(person)
        with scope(actor, towns=[TOWN_A]):
            return custody.discard_upload(upload.id, actor=actor, reason="not of this house")

    assert discard(cast.assessor_a).state == "quarantined"
    with pytest.raises(custody.SecondPersonNeeded):
        discard(cast.assessor_a)
    assert discard(cast.deputy_a).state == "discarded"
    with pytest.raises(NotFound):
        discard(cast.assessor_a)
    assert photo_of(photo_id).state != "verified"
    # The tablet is told that it has been received: it need not send it again.
    assert uploads.create(tablet.transport, describe(make_bytes(), photo_id))[1] == 300_000


def test_bytes_that_nobody_declares_go_after_30_days(tablet: Tablet, houses: list[House]) -> None:
    kept, orphan = make_bytes(5000, seed=1), make_bytes(5000, seed=2)
    uploads.create(tablet.transport, describe(orphan), orphan)
    tablet.take_photo(kept, property_id=str(houses[0].property_id))
    tablet.push()
    tablet.upload_photos()

    def remove(days: int) -> int:
        with scope(SYSTEM, towns=[TOWN_A], read_only=[TOWN_B]):
            return custody.remove_orphans(TOWN_A, actor=SYSTEM, now=timezone.now() + days * DAY)

    assert (remove(29), remove(31), remove(31)) == (0, 1, 0)
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [blob.sha256 for blob in Blob.objects.all()] == [hashlib.sha256(kept).hexdigest()]
    assert not default_storage.exists(blob_path(hashlib.sha256(orphan).hexdigest()))
    # Sent again, they are taken again.
    again, offset = uploads.create(tablet.transport, describe(orphan), orphan)
    assert (bool(again), offset) == (True, len(orphan))


def test_an_orphans_bytes_stay_while_another_town_holds_them(tablet: Tablet) -> None:
    content = make_bytes(5000)
    uploads.create(tablet.transport, describe(content), content)
    with scope(SYSTEM, towns=[TOWN_B]):
        blob = store_blob(content, town_code=TOWN_B, media_type="image/jpeg")
    with scope(SYSTEM, towns=[TOWN_A], read_only=[TOWN_B]):
        assert custody.remove_orphans(TOWN_A, actor=SYSTEM, now=timezone.now() + 31 * DAY) == 1
    assert default_storage.exists(blob_path(blob.sha256))


def test_a_photo_that_does_not_come_is_missing_until_it_does(tablet: Tablet, houses: list[House]) -> None:
    photo_id = tablet.take_photo(make_bytes(), property_id=str(houses[0].property_id))
    tablet.push()

    def look(hours: int) -> int:
        with scope(SYSTEM, towns=[TOWN_A]):
            now = timezone.now() + dt.timedelta(hours=hours)
            return custody.mark_missing(TOWN_A, actor=SYSTEM, now=now)

    assert (look(47), photo_of(photo_id).state) == (0, "declared")
    assert (look(49), photo_of(photo_id).state) == (1, "missing")
    url, _ = uploads.create(tablet.transport, describe(make_bytes(), photo_id), make_bytes()[:1000])
    assert photo_of(photo_id).state == "receiving"
    tablet.transport.send("DELETE", url, headers=uploads.TUS)
    assert photo_of(photo_id).state == "declared"
    tablet.upload_photos()
    assert photo_of(photo_id).state == "verified"


def test_a_photo_that_a_visit_names_is_awaited_before_it_is_declared(
    tablet: Tablet, houses: list[House]
) -> None:
    photo_id, never = str(new_id()), str(new_id())
    visit = str(new_id())
    tablet.record(
        {
            "kind": "inspection.create",
            "entity_id": visit,
            "data": {
                "property_id": str(houses[0].property_id), "entry_code": "00", "photos": [photo_id, never],
            },
        }
    )  # fmt: skip
    tablet.push()
    assert (photo_of(photo_id).state, photo_of(photo_id).sha256) == ("declared", "")
    tablet.take_photo(make_bytes(), photo_id=photo_id, inspection_id=visit, role="front")
    tablet.push()
    tablet.upload_photos()
    told = photo_of(photo_id)
    assert (told.state, told.role, str(told.inspection_id)) == ("verified", "front", visit)
    assert photo_of(never).state == "declared"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Photo.objects.count() == 2


def test_the_keeper_runs_over_every_town(tablet: Tablet) -> None:
    assert tasks.keep() == {"missing": 0, "orphans": 0, "files": 0}
