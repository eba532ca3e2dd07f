import datetime as dt

import pytest
from django.db import Error, connection, transaction

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid, NotFound
from assessment.roll.errors import BelowZero, ListNotSigned, UnknownRollCode
from assessment.roll.models import GrandList, InstrumentLine
from assessment.roll.selectors import iterate_accounts
from assessment.roll.services.abstracts import get_m13
from assessment.roll.services.instruments import (
    certificate_of_correction,
    issue_instrument,
    prorate_new_construction,
)
from assessment.roll.services.standings import Change, get_standing
from tests.roll.conftest import Office

DAY = dt.date(2025, 2, 10)


def issue(
    office: Office, signed: GrandList, *changes: Change, place: int = 0, kind: str = "correction", **more
):
    actor = more.pop("actor", office.assessor)
    return issue_instrument(
        signed, actor=actor, kind=kind, subject=office.property(place), changes=changes,
        dated_on=more.pop("dated_on", DAY), explanation="a clerical error", **more,
    )  # fmt: skip


def test_a_certificate_of_correction_leaves_the_snapshot_untouched(office: Office, signed: GrandList):
    before = list(iterate_accounts(signed))
    standing = get_standing(signed, office.property(0))
    instrument = certificate_of_correction(
        signed, actor=office.deputy, subject=office.property(0), lines_after={"13": (100_000, 70_000)},
        dated_on=DAY, explanation="the dwelling was listed twice",
    )  # fmt: skip
    assert instrument.number == "C-2024-0001"
    assert list(iterate_accounts(signed)) == before
    after = get_standing(signed, office.property(0))
    assert after.amounts["assessed", "13"] == 70_000
    assert after.net == standing.net - standing.amounts["assessed", "13"] + 70_000


def test_the_abstract_after_the_board_is_the_signed_one_plus_the_instruments_to_the_dollar(
    office: Office, signed: GrandList
):
    issue(office, signed, Change("assessed", "13", -7_000))
    issue(office, signed, Change("exemption", "VETERAN", 3_000), place=1)
    issue(office, signed, Change("assessed", "13", 500), place=2, dated_on=dt.date(2025, 6, 1))
    made = get_m13(signed, actor=office.assessor)
    lines = InstrumentLine.objects.filter(instrument__dated_on__lte=made.through)
    moved = {
        section: sum(lines.filter(section=section).values_list("amount_change", flat=True))
        for section in ("assessed", "exemption")
    }
    assert moved == {"assessed": -7_000, "exemption": 3_000}
    accounts = [row for row in iterate_accounts(signed) if not row.exempt_code]
    assert made.bridge.signed.gross == sum(row.gross for row in accounts)
    assert made.bridge.after.gross == made.bridge.signed.gross - 7_000
    assert made.bridge.after.net == made.bridge.signed.net - 10_000
    assert made.bridge.after.exemption["VETERAN"].count == 1


def test_numbers_are_given_in_order_for_each_kind(office: Office, signed: GrandList):
    numbers = [
        issue(office, signed, Change("assessed", "13", -10)).number,
        issue(office, signed, Change("assessed", "13", -10), kind="court").number,
        issue(office, signed, Change("assessed", "13", -10)).number,
    ]
    assert numbers == ["C-2024-0001", "J-2024-0001", "C-2024-0002"]


def test_an_account_is_never_left_with_less_than_nothing(office: Office, signed: GrandList):
    with pytest.raises(BelowZero):
        issue(office, signed, Change("assessed", "13", -10_000_000))
    with pytest.raises(BelowZero):
        issue(office, signed, Change("exemption", "VETERAN", 10_000_000))
    assert not InstrumentLine.objects.exists()


def test_what_is_no_correction_is_refused(office: Office, signed: GrandList):
    with pytest.raises(Invalid, match="changes nothing"):
        issue(office, signed, Change("assessed", "13", 0))
    with pytest.raises(UnknownRollCode):
        issue(office, signed, Change("assessed", "99", 10))
    with pytest.raises(Invalid, match="assessment date"):
        issue(office, signed, Change("assessed", "13", 10), dated_on=dt.date(2024, 9, 30))
    with pytest.raises(Invalid, match="one of"):
        issue(office, signed, Change("assessed", "13", 10), kind="favour")


def test_the_assessor_does_not_decide_for_the_board(office: Office, signed: GrandList):
    with pytest.raises(Forbidden):
        issue(office, signed, Change("assessed", "13", -10), kind="board")
    assert (
        issue(
            office, signed, Change("assessed", "13", -10), kind="board", actor=Actor.system("the board")
        ).statute
        == "12-111"
    )


def test_an_account_is_wholly_exempt_or_not_at_all(office: Office, signed: GrandList):
    with pytest.raises(Invalid, match="wholly exempt"):
        issue(office, signed, Change("exempt_property", "HAAX", 1_000))


def test_an_unsigned_list_is_not_corrected_by_an_instrument(office: Office):
    with pytest.raises(ListNotSigned):
        issue(office, office.convert(), Change("assessed", "13", 10))


def test_new_construction_is_prorated_from_its_certificate_of_occupancy(office: Office, signed: GrandList):
    # SOURCE: CGS 12-53a; increment 100,000, certificate of occupancy 1 March, 214 of 365 days.
    prorate_new_construction(
        signed, actor=office.assessor, subject=office.property(0), code="13", assessed_before=0,
        assessed_after=100_000, from_on=dt.date(2025, 3, 1), dated_on=dt.date(2025, 3, 20),
        explanation="certificate of occupancy 1 March",
    )  # fmt: skip
    line = InstrumentLine.objects.get()
    assert line.amount_change == 58_630
    assert not line.instrument.carries_forward


def test_an_omitted_property_is_added_with_the_next_list_number(office: Office, signed: GrandList):
    lot = Property.objects.create(
        town=office.town, account_number="000099", state_class="500", address="9 Oak St"
    )
    with pytest.raises(NotFound):
        issue_instrument(
            signed, actor=office.assessor, kind="correction", subject=lot, dated_on=DAY, explanation="x",
            changes=[Change("assessed", "51", 7_000, 10_000)],
        )  # fmt: skip
    instrument = issue_instrument(
        signed, actor=office.assessor, kind="omitted", subject=lot, dated_on=DAY, explanation="never listed",
        changes=[Change("assessed", "51", 7_000, 10_000)],
    )  # fmt: skip
    assert instrument.list_number == "2024-1-0000013"
    assert instrument.location == "9 Oak St"
    assert get_standing(signed, lot).net == 7_000


def test_an_exempt_account_is_corrected_under_its_exempt_code(office: Office, signed: GrandList):
    exempt = office.property(5)
    standing = get_standing(signed, exempt)
    assert standing.net == 0
    issue(office, signed, Change("exempt_property", "HAAX", -1_000), place=5)
    assert get_standing(signed, exempt).gross == standing.gross - 1_000


@pytest.mark.parametrize("table", ["instrument", "instrumentline", "changereason", "certification"])
@pytest.mark.parametrize(
    "statement", ["DELETE FROM assessment_{}", "UPDATE assessment_{} SET town_id = town_id"]
)
def test_a_paper_is_never_changed_or_taken_back(
    office: Office, signed: GrandList, table: str, statement: str
):
    issue(office, signed, Change("assessed", "13", -10))
    with pytest.raises(Error, match=r"permission denied|never changed"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(statement.format(table))
