"""The end-of-day statement, and a server refilled by its devices."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.exceptions import InvalidSignature
from django.db import connection

from assessment.property.models import Blob, Observation, Photo
from assessment.region.scope import scope
from fieldsync.client import Tablet
from fieldsync.keys import statement_key
from fieldsync.push.models import Mutation
from tests.cast import SYSTEM, TOWN_A
from tests.databases import TestDatabase
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.photos.test_uploads import make_bytes


def test_a_day_that_has_come_whole_is_stated_so(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    tablet.take_photo(make_bytes(1000), property_id=str(houses[0].property_id))
    tablet.sync()
    answer = tablet.reconcile()
    assert answer["missing_mutations"] == []
    assert answer["missing_photos"] == []
    assert (answer["held"], answer["quarantined"], answer["open_conflicts"]) == ([], [], [])
    assert answer["checksums_ok"]


def test_the_statement_is_signed_and_cannot_be_altered(tablet: Tablet, houses: list[House]) -> None:
    kind, body, signature = tablet.reconcile()["statement"].split(".")
    raw, proof = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (body, signature))
    key = statement_key().public_key()
    key.verify(proof, raw)
    assert (kind, json.loads(raw)["device"]) == ("s1", tablet.device_id)
    with pytest.raises(InvalidSignature):
        key.verify(proof, raw.replace(b'"held":0', b'"held":1'))


def test_what_has_not_come_is_named_and_sent_again(tablet: Tablet, houses: list[House]) -> None:
    for style in ("a", "b", "c"):
        tablet.patch_card(str(houses[0].property_id), {"comment": style})
    one, _, three = tablet.store.unfinished()
    tablet.push_batch([one, three])
    tablet.take_photo(make_bytes(1000), property_id=str(houses[0].property_id))
    answer = tablet.reconcile()
    assert answer["missing_mutations"] == [[2, 2], [4, 4]]
    assert len(answer["missing_photos"]) == 1


def test_a_server_that_lost_a_day_is_refilled_by_its_tablets(
    tablet: Tablet, houses: list[House], committed_db: TestDatabase
) -> None:
    """As after a restore of last night's backup: the tablet has receipts for what the server no longer has."""
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    for house in houses:
        tablet.patch_card(str(house.property_id), {house.path("style"): "Ranch"})
    tablet.take_photo(make_bytes(1000), property_id=str(houses[0].property_id))
    tablet.sync()
    with committed_db.connect("postgres") as superuser:
        superuser.execute("ALTER TABLE fieldsync_mutation DISABLE TRIGGER USER")
        for table in ("fieldsync_upload", "assessment_photo", "assessment_observation", "fieldsync_mutation"):
            superuser.execute(f"SET session_replication_role = replica; DELETE FROM {table}")
        superuser.execute("DELETE FROM assessment_blob WHERE media_type = 'image/jpeg'")
        superuser.execute("ALTER TABLE fieldsync_mutation ENABLE TRIGGER USER")
    answer = tablet.reconcile()
    assert answer["missing_mutations"] == [[1, 7]]
    assert len(answer["missing_photos"]) == 1
    tablet.sync()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert (Mutation.objects.count(), Observation.objects.count()) == (7, 6)
        assert Photo.objects.get().state == "verified"
        assert Blob.objects.filter(media_type="image/jpeg").count() == 1
    assert tablet.reconcile()["missing_mutations"] == []
    connection.close()


def test_a_package_whose_rows_went_wrong_is_named(tablet: Tablet, houses: list[House]) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    tablet.store.put_record(str(package.id), "card", str(houses[0].property_id), {"property": {}})
    answer = tablet.reconcile()
    assert (answer["checksums_ok"], answer["stale_packages"]) == (False, [str(package.id)])
