import datetime as dt

import pytest

from assessment.property.models import StatedValue
from assessment.region.errors import Forbidden, Invalid
from assessment.roll.errors import NotBalanced
from assessment.roll.models import BalanceDifference
from assessment.roll.services.balancing import balance_grand_list, sign_off_differences
from assessment.roll.services.posting import PostedLine, Reason, post_assessment_lines
from assessment.roll.services.signing import sign_grand_list
from tests.roll.conftest import Office


def test_a_converted_list_balances_with_what_the_town_stated(office: Office):
    run, result = balance_grand_list(office.convert(), actor=office.deputy)
    assert (result.accounts, result.matched) == (12, 12)
    assert result.ours == result.theirs
    assert run.differences.count() == 0


def test_a_list_that_was_not_balanced_is_not_signed(office: Office):
    with pytest.raises(NotBalanced, match="run `balance`"):
        sign_grand_list(office.convert(), actor=office.assessor)


def test_differences_stand_in_the_way_until_the_assessor_signs_them_off(office: Office):
    grand_list = office.convert()
    StatedValue.objects.filter(property_id=office.sample.ids[0], component="total").update(assessed=999_000)
    run, _ = balance_grand_list(grand_list, actor=office.deputy)
    with pytest.raises(NotBalanced, match="not signed off"):
        sign_grand_list(grand_list, actor=office.assessor)
    with pytest.raises(Forbidden):
        sign_off_differences(run, actor=office.deputy, reason="looks fine")
    with pytest.raises(Invalid):
        sign_off_differences(run, actor=office.assessor, reason=" ")
    sign_off_differences(run, actor=office.assessor, reason="the card misses a penalty")
    assert sign_grand_list(grand_list, actor=office.assessor).certification.accounts == 12
    kept = BalanceDifference.objects.filter(run=run).first()
    assert kept is not None
    assert kept.signed_off_by_id == office.cast.assessor_a.pk


def test_a_change_after_the_balance_asks_for_another(office: Office):
    grand_list = office.convert()
    balance_grand_list(grand_list, actor=office.assessor)
    post_assessment_lines(
        grand_list, actor=office.assessor, subject=office.property(0), lines=[PostedLine("11", 50_000)],
        reason=Reason("correction", dt.date(2024, 12, 1)),
    )  # fmt: skip
    with pytest.raises(NotBalanced):
        sign_grand_list(grand_list, actor=office.assessor)


def test_an_account_that_only_the_town_has_is_a_difference(office: Office):
    grand_list = office.convert()
    grand_list.assessments.filter(property_id=office.sample.ids[0]).first()
    StatedValue.objects.filter(property_id=office.sample.ids[0]).delete()
    _, result = balance_grand_list(grand_list, actor=office.assessor)
    assert [(item.account, item.item, item.theirs) for item in result.differences] == [
        ("000001", "account", None)
    ]
