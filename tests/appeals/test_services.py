import datetime as dt

import pytest

from assessment.appeals.errors import (
    MustBeHeard,
    NoticeTooShort,
    PetitionClosed,
    PetitionExists,
    PetitionLate,
)
from assessment.appeals.models import Petition
from assessment.appeals.services import (
    decide_petition,
    elect_not_to_hear,
    receive_petition,
    schedule_hearing,
    withdraw_petition,
)
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid
from assessment.region.rules import Role
from assessment.region.selectors import get_actor
from assessment.region.services import assign_role
from assessment.roll.errors import ListNotSigned
from assessment.roll.models import GrandList, Instrument
from assessment.roll.selectors import iterate_accounts
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.posting import PostedLine, Posting, post_assessments
from assessment.roll.services.signing import sign_grand_list
from assessment.roll.services.standings import get_standing
from tests.cast import SINCE, SYSTEM
from tests.roll.building import valued
from tests.roll.conftest import Office

IN_TIME = dt.date(2025, 2, 20)
HEARING = dt.datetime(2025, 3, 15, 14, tzinfo=dt.UTC)


def received(office: Office, signed: GrandList, place: int = 0, **more) -> Petition:
    more.setdefault("actor", office.deputy)
    more.setdefault("received_on", IN_TIME)
    return receive_petition(signed, subject=office.property(place), petitioner="Pat Owner", **more)


@pytest.fixture
def board(office: Office) -> Actor:
    person = office.cast.nobody
    assign_role(person, actor=SYSTEM, town=office.town, role=Role.BAA_MEMBER, valid_from=SINCE)
    return get_actor(person, on=dt.date(2025, 3, 1))


def test_a_petition_gets_a_number_of_its_list(office: Office, signed: GrandList):
    numbers = [received(office, signed, place).petition_number for place in (0, 1)]
    assert numbers == ["A-2024-0001", "A-2024-0002"]


def test_a_petition_after_the_last_day_is_refused_unless_the_signing_was_extended(
    office: Office, signed: GrandList
):
    late = IN_TIME + dt.timedelta(days=1)
    with pytest.raises(PetitionLate, match="2025-02-20"):
        received(office, signed, received_on=late)
    GrandList.objects.filter(pk=signed.pk).update(is_signing_extended=True)
    assert received(office, signed, received_on=late).state == "received"


def test_an_account_is_appealed_once_and_only_from_a_signed_list(office: Office, signed: GrandList):
    received(office, signed)
    with pytest.raises(PetitionExists):
        received(office, signed)
    opened = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward").grand_list
    with pytest.raises(ListNotSigned):
        received(office, opened, received_on=dt.date(2026, 2, 1))


def test_a_hearing_is_told_a_week_ahead(office: Office, signed: GrandList):
    petition = received(office, signed)
    with pytest.raises(NoticeTooShort):
        schedule_hearing(
            petition,
            actor=office.deputy,
            starts_at=HEARING,
            place="Town Hall",
            notified_on=dt.date(2025, 3, 9),
        )
    schedule_hearing(
        petition, actor=office.deputy, starts_at=HEARING, place="Town Hall", notified_on=dt.date(2025, 3, 8)
    )
    assert Petition.objects.get().state == "scheduled"


def test_a_change_by_the_board_is_an_instrument_and_the_signed_list_stays(
    office: Office, signed: GrandList, board: Actor
):
    petition = received(office, signed)
    before = list(iterate_accounts(signed))
    standing = get_standing(signed, office.property(0))
    decision = decide_petition(
        petition, actor=board, decided_on=dt.date(2025, 3, 20), explanation="the basement is unfinished",
        lines_after={"13": (100_000, 70_000)},
    )  # fmt: skip
    assert decision.outcome == "changed"
    assert decision.instrument.number == "B-2024-0001"
    assert list(iterate_accounts(signed)) == before
    assert get_standing(signed, office.property(0)).net == (
        standing.net - standing.amounts["assessed", "13"] + 70_000
    )


def test_a_decision_without_change_issues_nothing(office: Office, signed: GrandList, board: Actor):
    decision = decide_petition(
        received(office, signed), actor=board, decided_on=dt.date(2025, 3, 20), explanation="no evidence"
    )
    assert decision.outcome == "unchanged"
    assert not Instrument.objects.exists()


def test_a_change_that_changes_nothing_is_refused(office: Office, signed: GrandList, board: Actor):
    standing = get_standing(signed, office.property(0))
    key = ("assessed", "13")
    with pytest.raises(Invalid, match="changes nothing"):
        decide_petition(
            received(office, signed), actor=board, decided_on=dt.date(2025, 3, 20), explanation="x",
            lines_after={"13": (standing.appraised[key], standing.amounts[key])},
        )  # fmt: skip


def test_the_assessor_does_not_decide_an_appeal_from_the_own_list(office: Office, signed: GrandList):
    with pytest.raises(Forbidden):
        decide_petition(
            received(office, signed), actor=office.assessor, decided_on=dt.date(2025, 3, 20), explanation="x"
        )


def test_a_stranger_files_nothing(office: Office, signed: GrandList):
    with pytest.raises(Forbidden):
        received(office, signed, actor=office.cast.actor(office.cast.collector_a))


def test_a_closed_petition_stays_closed(office: Office, signed: GrandList, board: Actor):
    petition = withdraw_petition(received(office, signed), actor=office.deputy)
    with pytest.raises(PetitionClosed, match="withdrawn"):
        decide_petition(petition, actor=board, decided_on=dt.date(2025, 3, 20), explanation="x")


def test_a_house_must_be_heard_and_a_large_plant_need_not_be(office: Office, signed: GrandList, board: Actor):
    opened = open_grand_list(office.town, actor=office.assessor, year=2025, basis="revaluation").grand_list
    plant = Posting(office.sample.ids[1], (PostedLine("31", 500_000), PostedLine("32", 2_000_000)))
    postings = [plant if item.property_id == plant.property_id else item for item in valued(office.sample)]
    post_assessments(opened, actor=office.assessor, postings=postings)
    sign_grand_list(opened, actor=office.assessor)
    due = dt.date(2026, 2, 1)
    with pytest.raises(MustBeHeard):
        elect_not_to_hear(received(office, opened, 0, received_on=due), actor=board)
    declined = elect_not_to_hear(received(office, opened, 1, received_on=due), actor=board)
    assert declined.state == "not_heard"
