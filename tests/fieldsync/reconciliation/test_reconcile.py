"""The end-of-day statement, and a server refilled by its devices."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from assessment.property.models import Blob, Observation, Photo
from assessment.region.scope import scope
from fieldsync.client import ProblemAnswer, Tablet
from fieldsync.keys import statement_key
from fieldsync.packages.services import take_back_package
from fieldsync.push.models import Mutation
from fieldsync.reconciliation import signing
from fieldsync.reconciliation.models import Statement
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
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    tablet.sync()
    token = tablet.reconcile()["statement"]
    key = statement_key().public_key()
    facts = signing.verify(token, key)
    assert (facts["device"], facts["town"]) == (tablet.device_id, TOWN_A)
    assert facts["summary"] == "1/1 records, 0/0 photos on the server"
    version, body, signature = token.split(".")
    forged = _b64(_raw(body).replace(b'"held":0', b'"held":1'))
    for other in (f"{version}.{forged}.{signature}", f"s2.{body}.{signature}", "s1.x", "", f"{token}.more"):
        with pytest.raises(signing.BadStatement):
            signing.verify(other, key)
    with pytest.raises(signing.BadStatement, match="another server"):
        signing.verify(token, Ed25519PrivateKey.generate().public_key())


def test_a_statement_is_checked_offline_with_the_published_key(
    tablet: Tablet, houses: list[House], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "statement").write_text(tablet.reconcile()["statement"])
    published = tablet.transport.http.get("/api/field/v1/statement-key").json()
    (tmp_path / "key.pem").write_text(published["public_key_pem"])
    call_command("verify_statement", print_key=True)
    assert capsys.readouterr().out.strip() == published["public_key_pem"].strip()
    # No database and no settings of ours: another interpreter with the one module.
    program = (
        "import pathlib, sys; from fieldsync.reconciliation.signing import read_key, verify;"
        "print(verify(pathlib.Path(sys.argv[1]).read_text(), read_key(pathlib.Path(sys.argv[2]).read_text()))['key'])"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "statement", tmp_path / "key.pem"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
        cwd=Path(__file__).resolve().parents[3],
    )  # fmt: skip
    assert said.stdout.strip() == published["key"]
    call_command("verify_statement", tmp_path / "statement", key=tmp_path / "key.pem")
    assert "0/0 records" in capsys.readouterr().out
    (tmp_path / "statement").write_text("s1.e30.AAAA")
    with pytest.raises(CommandError, match="signature"):
        call_command("verify_statement", tmp_path / "statement")


def test_every_statement_is_kept_as_it_was_given(tablet: Tablet, houses: list[House]) -> None:
    tablet.patch_card(str(houses[0].property_id), {"comment": "seen"})
    first = tablet.reconcile()
    tablet.push()
    second = tablet.reconcile()
    with scope(SYSTEM, towns=[TOWN_A]):
        kept = list(Statement.objects.order_by("stated_at"))
        assert [row.token for row in kept] == [first["statement"], second["statement"]]
        assert [row.is_complete for row in kept] == [False, True]
        assert [(row.records_here, row.records_claimed) for row in kept] == [(0, 1), (1, 1)]
        assert kept[0].missing_mutations == [[1, 1]]
        with pytest.raises(DatabaseError), transaction.atomic():
            Statement.objects.update(is_complete=True)


def test_a_tablet_that_lost_its_own_store_is_told_and_noted(tablet: Tablet, houses: list[House]) -> None:
    for n in range(4):
        tablet.patch_card(str(houses[0].property_id), {"comment": f"visit {n}"})
    tablet.sync()
    answer = ask(tablet, last_seq=2, seq_ranges=[[1, 2]])
    assert (answer["is_store_lost"], answer["unknown_to_device"]) == (True, [[3, 4]])
    assert answer["last_seq"] == 4, "go on counting from here, or the office must think you a copy"
    assert "2 lost on the tablet and kept here" in answer["summary"]
    assert ask(tablet, last_seq=0)["unknown_to_device"] == [[1, 4]]
    answer = ask(tablet, last_seq=4, seq_ranges=[])
    assert not answer["is_store_lost"], "what it let go on purpose is not lost"
    assert not ask(tablet)["is_store_lost"], "an old app says nothing, so nothing can be told"
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Statement.objects.filter(is_store_lost=True).count() == 2


def test_a_number_is_only_here_with_the_change_that_the_tablet_gave_it(
    tablet: Tablet, houses: list[House]
) -> None:
    house = str(houses[0].property_id)
    made = [tablet.patch_card(house, {"comment": f"visit {n}"})["mutation_id"] for n in range(2)]
    marks = "".join(UUID(key).hex[16:] for key in made)
    tablet.push()
    claim = {"last_seq": 2, "seq_ranges": [[1, 2]]}
    assert ask(tablet, **claim, id_marks=marks)["is_complete"]
    other = ask(tablet, **claim, id_marks=marks[:16] + "0" * 16)
    assert (other["missing_mutations"], other["is_complete"], other["is_store_lost"]) == (
        [[2, 2]],
        False,
        False,
    )
    assert other["summary"].startswith("1/2 records")
    assert ask(tablet, **claim)["is_complete"], (
        "an old app compares by numbers alone, and its statement says so"
    )
    key = statement_key().public_key()
    assert [signing.verify(row.token, key)["ids"] is None for row in _statements()] == [False, False, True]


@pytest.mark.parametrize("marks", ["0" * 16, "0" * 48, "x" * 32, "0" * 31])
def test_marks_that_do_not_fit_the_numbers_are_refused(
    tablet: Tablet, houses: list[House], marks: str
) -> None:
    with pytest.raises(ProblemAnswer) as caught:
        ask(tablet, last_seq=2, seq_ranges=[[1, 2]], id_marks=marks)
    assert caught.value.status == 422
    with scope(SYSTEM, towns=[TOWN_A]):
        assert not Statement.objects.exists()


def test_a_photo_that_was_declared_and_never_sent_is_asked_for(tablet: Tablet, houses: list[House]) -> None:
    tablet.take_photo(make_bytes(1000), property_id=str(houses[0].property_id))
    tablet.push()
    assert ask(tablet, photo_hashes=[])["missing_photos"] == [tablet.store.photos("waiting")[0]["sha256"]]
    tablet.upload_photos()
    assert ask(tablet, photo_hashes=[])["missing_photos"] == []


def test_a_package_that_is_no_longer_the_tablets_is_told_apart_from_one_that_went_wrong(
    tablet: Tablet, houses: list[House]
) -> None:
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    with scope(SYSTEM, towns=[TOWN_A], reason="test"):
        take_back_package(package.id, actor=SYSTEM)
    answer = tablet.reconcile()
    assert (answer["gone_packages"], answer["stale_packages"]) == ([str(package.id)], [])
    assert answer["checksums_ok"]


def ask(tablet: Tablet, **claim: object) -> dict[str, Any]:
    """Send a claim as it is."""
    body = {"device_id": tablet.device_id, **claim}
    return dict(tablet.transport.send("POST", "reconcile", json=body).json())


def _statements() -> list[Statement]:
    with scope(SYSTEM, towns=[TOWN_A]):
        return list(Statement.objects.order_by("stated_at"))


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


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


def test_a_tablet_whose_store_was_put_back_counts_on_and_is_no_copy(
    tablet: Tablet, houses: list[House]
) -> None:
    """As from the backup of a tablet: its key and its older store, from before the last two changes."""
    package = draw(houses, tablet.device_id)
    tablet.download(str(package.id))
    for n in range(3):
        tablet.patch_card(str(houses[n].property_id), {"comment": f"visit {n}"})
    tablet.sync()
    with tablet.store.transaction() as db:
        db.execute("DELETE FROM outbox WHERE device_seq > 1")
    assert tablet.reconcile()["is_store_lost"]
    tablet.patch_card(str(houses[3].property_id), {"comment": "visit 3"})
    assert [result["status"] for result in tablet.push()] != ["quarantined"]
    answer = tablet.reconcile()
    assert (answer["is_store_lost"], answer["is_complete"], answer["last_seq"]) == (False, True, 4)


def test_a_complete_statement_removes_nothing_at_once(tablet: Tablet, houses: list[House]) -> None:
    tablet.take_photo(make_bytes(1000), property_id=str(houses[0].property_id))
    tablet.sync()
    answer = tablet.reconcile()
    assert (answer["is_complete"], answer["keep_days"]) == (True, 14)
    [photo] = tablet.store.photos("received")
    assert Path(photo["path"]).exists()
    assert tablet.store.spans() == [[1, 1]]
