import datetime as dt

import pytest

from assessment.region.errors import Forbidden, Invalid
from assessment.roll.errors import ListNotSigned, ListSigned
from assessment.roll.models import GrandList
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.standings import Change
from assessment.roll.services.states import close_board, extend_signing, make_final, mark_valued
from tests.roll.conftest import Office


def test_a_list_goes_from_open_to_final_in_order(office: Office):
    grand_list = office.convert()
    assert mark_valued(grand_list, actor=office.deputy).state == "valued"
    with pytest.raises(ListNotSigned):
        close_board(grand_list, actor=office.assessor)
    signed = office.sign(grand_list)
    with pytest.raises(ListSigned):
        mark_valued(signed, actor=office.assessor)
    with pytest.raises(Invalid, match="after the board"):
        make_final(signed, actor=office.assessor)
    assert close_board(signed, actor=office.assessor).state == "after_board"
    with pytest.raises(Invalid, match="already"):
        close_board(signed, actor=office.assessor)
    assert make_final(signed, actor=office.assessor).state == "final"


def test_a_final_list_is_still_corrected_by_an_instrument(office: Office, signed: GrandList):
    close_board(signed, actor=office.assessor)
    make_final(signed, actor=office.assessor)
    instrument = issue_instrument(
        signed, actor=office.assessor, kind="court", subject=office.property(0), dated_on=dt.date(2026, 5, 1),
        changes=[Change("assessed", "13", -700)], explanation="stipulated judgment",
    )  # fmt: skip
    assert instrument.number == "J-2024-0001"


def test_saying_that_a_list_is_valued_asks_for_no_other_balance(office: Office):
    from assessment.roll.services.balancing import balance_grand_list
    from assessment.roll.services.signing import sign_grand_list

    grand_list = office.convert()
    balance_grand_list(grand_list, actor=office.assessor)
    mark_valued(grand_list, actor=office.assessor)
    assert sign_grand_list(grand_list, actor=office.assessor).certification.accounts == 12


def test_more_time_to_sign_is_given_before_the_signing_and_by_the_assessor(office: Office):
    grand_list = office.convert()
    with pytest.raises(Forbidden):
        extend_signing(grand_list, actor=office.deputy)
    assert extend_signing(grand_list, actor=office.assessor).is_signing_extended
    signed = office.sign(grand_list)
    with pytest.raises(ListSigned):
        extend_signing(signed, actor=office.assessor)
