import datetime as dt

import pytest

from assessment.property.models import ConfidentialityRequest, Owner, Ownership, Property, StatedValue
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.region.services import set_policy
from assessment.roll.errors import ListExists, NothingToOpenFrom
from assessment.roll.models import Assessment, AssessmentLine, Exemption, GrandList
from assessment.roll.rules.rounding import RoundingPolicy
from assessment.roll.selectors import find_signed_account, get_certification, get_totals, list_listings
from assessment.roll.services.abstracts import get_m13
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.opening import open_grand_list
from assessment.roll.services.standings import Change
from tests.roll.conftest import BASE, Office

DAY = dt.date(2025, 3, 1)


def test_a_conversion_adds_up_to_what_the_town_stated(office: Office):
    grand_list = office.convert()
    stated = StatedValue.objects.filter(component="total").values_list("assessed", flat=True)
    assert get_totals(grand_list)["gross"] == sum(stated)
    assert Assessment.objects.filter(exempt_code="HAAX").count() == 2


def test_a_building_stated_with_its_outbuildings_is_split_by_what_they_are_appraised_at(office: Office):
    office.convert()
    lines = AssessmentLine.objects.filter(assessment__property_id=office.sample.ids[2])
    assert list(lines.order_by("line_number").values_list("detail_code", flat=True)) == ["11", "13", "14"]
    assert all(line.assessed == line.appraised * 7 // 10 for line in lines)


def test_a_card_that_states_only_a_total_is_left_out_and_reported(office: Office):
    StatedValue.objects.filter(property_id=office.sample.ids[0]).exclude(component="total").delete()
    report = open_grand_list(
        office.town, actor=office.assessor, year=2024, basis="conversion", base_revaluation_on=BASE
    )
    assert report.accounts == 11
    assert report.left_out["only a total is stated"] == ["000001"]


def test_an_account_without_a_class_is_left_out_unless_a_class_is_given(office: Office):
    Property.objects.filter(pk=office.sample.ids[0]).update(state_class="")
    arguments = {
        "actor": office.assessor,
        "basis": "conversion",
        "base_revaluation_on": BASE,
        "stated_year": 2024,
    }
    report = open_grand_list(office.town, year=2023, **arguments)
    assert report.left_out["without a class"] == ["000001"]
    assert open_grand_list(office.town, year=2024, default_class="100", **arguments).accounts == 12


def test_a_vendors_code_that_begins_with_9_is_exempt_under_a_code_of_ours(office: Office):
    Property.objects.filter(pk=office.sample.ids[0]).update(state_class="", use_code="9035")
    office.convert()
    assert Assessment.objects.get(property_id=office.sample.ids[0]).exempt_code == "XXXX"


def test_the_same_list_is_not_opened_twice(office: Office):
    office.convert()
    with pytest.raises(ListExists):
        office.convert()


def test_a_list_cannot_be_rolled_forward_from_an_unsigned_one(office: Office):
    office.convert()
    with pytest.raises(NothingToOpenFrom):
        open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")


def test_a_rolled_forward_list_is_the_last_one_to_the_dollar(office: Office, signed: GrandList):
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    assert get_totals(report.grand_list) == get_totals(signed)
    assert report.grand_list.base_revaluation_on == BASE


def test_what_the_board_decided_is_carried_forward_and_a_proration_is_not(office: Office, signed: GrandList):
    for kind, amount in (("board", -7_000), ("proration", 3_500)):
        issue_instrument(
            signed, actor=office.assessor if kind != "board" else _board(office), kind=kind,
            subject=office.property(0), changes=[Change("assessed", "13", amount)], dated_on=DAY,
            explanation="a test",
        )  # fmt: skip
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    assert get_totals(report.grand_list)["gross"] == get_totals(signed)["gross"] - 7_000


def test_exemptions_are_carried_forward_as_granted_with_their_corrections(office: Office):
    StatedValue.objects.create(
        town=office.town, property_id=office.sample.ids[0], list_year=2024, basis="card", component="exemption",
        detail_code="VET", assessed=3_000,
    )  # fmt: skip
    signed = office.sign(office.convert())
    assert get_certification(signed).exempt >= 3_000
    issue_instrument(
        signed, actor=office.assessor, kind="correction", subject=office.property(0),
        changes=[Change("exemption", "VET", 1_500)], dated_on=DAY, explanation="rating raised",
    )  # fmt: skip
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    carried = Exemption.objects.get(assessment__grand_list=report.grand_list)
    assert (carried.code, carried.amount) == ("VET", 4_500)


def test_a_new_property_is_not_added_to_an_interim_list_by_itself(office: Office, signed: GrandList):
    Property.objects.create(town=office.town, account_number="000099", state_class="100")
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    assert report.left_out["not on the last list"] == ["000099"]


def test_a_retired_property_is_not_rolled_forward(office: Office, signed: GrandList):
    Property.objects.filter(pk=office.sample.ids[0]).update(is_retired=True, retired_on=dt.date(2025, 1, 1))
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    assert report.accounts == 11
    assert report.left_out["retired since the last list"] == [str(office.sample.ids[0])]


def test_the_list_names_who_owned_on_1_october(office: Office, signed: GrandList):
    old = Ownership.objects.get(property_id=office.sample.ids[0])
    sold_on = dt.date(2025, 6, 1)
    Ownership.objects.filter(pk=old.pk).update(valid_to=sold_on)
    buyer = Owner.objects.create(town=office.town, name="Buyer, Bea", co_name="Buyer, Bob")
    Ownership.objects.create(
        town=office.town, property_id=office.sample.ids[0], owner=buyer, valid_from=sold_on
    )
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    account = Assessment.objects.get(grand_list=report.grand_list, property_id=office.sample.ids[0])
    assert (account.owner, account.co_owner) == ("Buyer, Bea", "Buyer, Bob")


def test_who_asked_for_confidentiality_before_1_october_is_listed_as_protected(office: Office):
    owner = Ownership.objects.get(property_id=office.sample.ids[0]).owner
    ConfidentialityRequest.objects.create(
        town=office.town, owner=owner, requested_on=dt.date(2024, 5, 1), agency="Department of Correction"
    )
    key = [office.sample.ids[0]]
    assert list_listings(62, "real", on=dt.date(2024, 10, 1), only=key)[0].is_confidential
    assert not list_listings(62, "real", on=dt.date(2023, 10, 1), only=key)[0].is_confidential


def test_the_towns_rounding_policy_is_the_lists(office: Office):
    set_policy(
        office.town, actor=office.assessor, key="rounding", valid_from=dt.date(2020, 1, 1),
        value={"unit": 1, "mode": "floor", "level": "account"},
    )  # fmt: skip
    assert office.convert().rounding == RoundingPolicy(1, "floor", "account")


def test_a_clerk_opens_no_list(office: Office):
    clerk = office.cast.actor(office.cast.clerk_a)
    with pytest.raises(Forbidden):
        open_grand_list(office.town, actor=clerk, year=2025, basis="revaluation")


def test_another_town_sees_nothing_of_a_list(office: Office, signed: GrandList):
    with scope(office.cast.actor(office.cast.assessor_b), towns=[office.cast.town_b.code]):
        assert not GrandList.objects.exists()
        assert not signed.snapshot_rows.exists()


def _board(office: Office) -> Actor:
    return Actor.system("the board")


def test_an_account_that_an_instrument_made_exempt_is_rolled_forward_as_exempt(
    office: Office, signed: GrandList
):
    account = find_signed_account(signed, office.property(0))
    assert account is not None
    changes = [Change("assessed", line.code, -line.assessed, -line.appraised) for line in account.lines]
    changes.append(Change("exempt_property", "HAAX", account.gross, account.appraised))
    issue_instrument(
        signed, actor=office.assessor, kind="correction", subject=office.property(0), changes=changes, dated_on=DAY,
        explanation="a house of worship since 2024",
    )  # fmt: skip
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    before, after = get_totals(signed), get_totals(report.grand_list)
    assert after["gross"] == before["gross"]
    assert after["net"] == before["net"] - account.net
    carried = Assessment.objects.get(grand_list=report.grand_list, property_id=office.sample.ids[0])
    assert carried.exempt_code == "HAAX"


def test_an_account_that_an_instrument_made_taxable_is_rolled_forward_as_taxable(
    office: Office, signed: GrandList
):
    account = find_signed_account(signed, office.property(5))
    assert account is not None
    changes = [
        Change("exempt_property", "HAAX", -account.gross, -account.appraised),
        Change("assessed", "13", account.gross, account.appraised),
    ]
    issue_instrument(
        signed, actor=office.assessor, kind="correction", subject=office.property(5), changes=changes, dated_on=DAY,
        explanation="sold to a family",
    )  # fmt: skip
    report = open_grand_list(office.town, actor=office.assessor, year=2025, basis="roll_forward")
    assert get_totals(report.grand_list)["net"] == get_totals(signed)["net"] + account.gross
    again = office.sign(report.grand_list)
    assert get_m13(again, actor=office.assessor).bridge.after.assessed["13"].count == 11
