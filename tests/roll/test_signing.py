import datetime as dt
import json

import psycopg
import pytest
from django.db import Error, connection, transaction

from assessment.property.blobs import open_blob
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden
from assessment.region.models import Person
from assessment.region.scope import scope
from assessment.roll.errors import AccountsWithoutValue, CertificateNeeded, ListSigned
from assessment.roll.models import Assessment, GrandList, SnapshotRow
from assessment.roll.rules.chain import Header
from assessment.roll.selectors import get_certification, get_totals, iterate_accounts
from assessment.roll.services.balancing import balance_grand_list
from assessment.roll.services.keys import key_path
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import post_assessments
from assessment.roll.services.signing import copy_path, sign_grand_list
from tests.roll.building import valued
from tests.roll.conftest import CommittedOffice, Office


def test_signing_freezes_every_account_under_a_number_and_the_totals_with_them(office: Office):
    grand_list = office.convert()
    before = get_totals(grand_list)
    signed = office.sign(grand_list)
    made = get_certification(signed)
    assert {name: getattr(made, name) for name in before} == before
    rows = list(iterate_accounts(signed))
    assert [row.list_number for row in rows] == [f"2024-1-{place:07d}" for place in range(1, 13)]
    assert sum(row.gross for row in rows) == before["gross"]
    assert not Assessment.objects.filter(grand_list=signed, list_number="").exists()


def test_the_printed_page_and_the_statement_carry_the_root(office: Office, signed: GrandList):
    made = get_certification(signed)
    assert json.loads(made.statement)["root"] == made.root
    with open_blob(made.pdf_sha256) as page:
        assert page.read(5) == b"%PDF-"


def test_the_copy_outside_the_database_appears_with_the_commit(committed: CommittedOffice):
    made = _made(committed)
    path = copy_path_of(committed)
    kept = json.loads(path.read_text())
    assert kept["root"] == made.root
    assert kept["signature"] == made.signature
    assert not path.with_name(path.name + ".pending").exists()


def test_a_signing_that_is_rolled_back_leaves_no_copy(office: Office):
    office.sign(office.convert())
    assert not copy_path(Header(62, 2024, "real")).exists()


def test_the_towns_key_is_for_its_owner_alone(office: Office, signed: GrandList):
    assert key_path(62).stat().st_mode & 0o777 == 0o600


def test_only_an_assessor_signs(office: Office):
    grand_list = office.convert()
    balance_grand_list(grand_list, actor=office.assessor)
    with pytest.raises(Forbidden):
        sign_grand_list(grand_list, actor=office.deputy)
    with pytest.raises(CertificateNeeded):
        sign_grand_list(grand_list, actor=Actor.system("a command"))


@pytest.mark.parametrize(
    "changed", [{"certificate_expires_on": dt.date(2020, 1, 1)}, {"certificate_number": ""}]
)
def test_an_assessor_without_a_certificate_in_force_does_not_sign(office: Office, changed):
    grand_list = office.convert()
    balance_grand_list(grand_list, actor=office.assessor)
    Person.objects.filter(pk=office.cast.assessor_a.pk).update(**changed)
    with pytest.raises(CertificateNeeded):
        sign_grand_list(grand_list, actor=office.assessor)
    assert not SnapshotRow.objects.exists()


def test_a_list_is_signed_once(office: Office, signed: GrandList):
    with pytest.raises(ListSigned):
        sign_grand_list(signed, actor=office.assessor)


def test_accounts_without_a_value_are_named_and_nothing_is_signed(office: Office):
    opened = open_grand_list(office.town, actor=office.assessor, year=2025, basis="revaluation").grand_list
    post_assessments(opened, actor=office.assessor, postings=valued(office.sample)[1:])
    with pytest.raises(AccountsWithoutValue, match="000001"):
        sign_grand_list(opened, actor=office.assessor)


@pytest.mark.parametrize(
    "statement", ["UPDATE assessment_snapshotrow SET net = 0", "DELETE FROM assessment_snapshotrow"]
)
@pytest.mark.parametrize("role", ["the application", "the owner"])
def test_nobody_but_a_superuser_who_turns_triggers_off_changes_a_signed_row(
    committed: CommittedOffice, statement: str, role: str
):
    with scope(committed.office.assessor, towns=[62]), pytest.raises(Error), transaction.atomic():
        with connection.cursor() as cursor:
            if role == "the owner":
                _as_owner(committed, statement)
            cursor.execute(statement)


def test_no_row_is_added_to_a_signed_list(office: Office, signed: GrandList):
    row = SnapshotRow.objects.filter(grand_list=signed).first()
    assert row is not None
    row.pk, row.seq, row.list_number, row.property_id = None, 99, "2024-1-0000099", office.sample.ids[0]
    with pytest.raises(Error, match=r"signed|once"), transaction.atomic():
        row.save(force_insert=True)


def test_a_signed_list_is_not_opened_again(office: Office, signed: GrandList):
    with pytest.raises(Error, match="signed list"), transaction.atomic():
        GrandList.objects.filter(pk=signed.pk).update(state="open")


def _as_owner(committed: CommittedOffice, statement: str) -> None:
    with psycopg.connect(committed.database.owner_url) as owner:
        try:
            owner.execute(statement)
        except psycopg.Error as error:
            raise Error(str(error)) from error


def _made(committed: CommittedOffice):
    with scope(committed.office.assessor, towns=[62]):
        return get_certification(committed.grand_list)


def copy_path_of(committed: CommittedOffice):
    return copy_path(Header(62, committed.grand_list.year, committed.grand_list.kind))
