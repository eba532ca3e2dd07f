from typing import Any
from uuid import UUID

import pytest

from assessment.property.models import JournalEntry
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.sales import selectors
from assessment.sales.errors import (
    TransferDecisionNeedsReason,
    TransferNotDecided,
    TransferNotFound,
    TransferPropertyUnknown,
)
from assessment.sales.services import decide_validity, give_property, withdraw_decision
from tests.cast import SYSTEM, TOWN_A, TOWN_B, Cast
from tests.sales.conftest import NOW, WriteFile, run_import, transfers


@pytest.fixture
def imported(properties: dict[str, Any], sales_file: WriteFile) -> dict[str, Any]:
    run_import(sales_file())
    return properties


def decide(cast: Cast, serial: str, validity: str = "not-usable", reason: str = "Sold to a cousin.") -> None:
    transfer = transfers()[serial]
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        decide_validity(transfer.id, actor=actor, validity=validity, reason=reason, decided_at=NOW)


def test_a_decision_stands_over_the_suggestion_with_who_when_and_why(
    cast: Cast, imported: dict[str, Any]
) -> None:
    decide(cast, "1")
    transfer = transfers()["1"]
    assert (transfer.validity, transfer.suggested_validity) == ("not-usable", "usable")
    assert (transfer.decided_by_id, transfer.decided_at) == (cast.assessor_a.id, NOW)
    with scope(SYSTEM, towns=[TOWN_A]):
        entry = JournalEntry.objects.filter(row_id=transfer.id, operation="U").get()
    assert (entry.actor_name, entry.reason) == ("Ada Assessor", "Sold to a cousin.")


def test_an_import_leaves_a_decision_and_a_property_given_by_hand_alone(
    cast: Cast, imported: dict[str, Any], sales_file: WriteFile
) -> None:
    decide(cast, "1")
    give(cast, "3", imported["elm-3"])
    assert run_import(sales_file()).total("changed") == 0
    found = transfers()
    assert found["1"].validity == "not-usable"
    assert (found["3"].property_id, found["3"].match_method) == (imported["elm-3"], "by-hand")


def test_a_withdrawn_decision_puts_the_suggestion_back_in_force(cast: Cast, imported: dict[str, Any]) -> None:
    decide(cast, "1")
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        withdraw_decision(transfers(TOWN_A)["1"].id, actor=actor, reason="Not a cousin after all.")
    transfer = transfers()["1"]
    assert (transfer.validity, transfer.decided_by_id, transfer.decided_at) == ("usable", None, None)


def test_there_must_be_a_decision_to_withdraw(cast: Cast, imported: dict[str, Any]) -> None:
    actor = cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]), pytest.raises(TransferNotDecided):
        withdraw_decision(transfers(TOWN_A)["1"].id, actor=actor, reason="x")


@pytest.mark.parametrize(
    ("validity", "reason"), [("usable", "  "), ("perhaps", "A reason."), ("", "A reason.")]
)
def test_a_decision_needs_a_validity_and_a_reason(
    cast: Cast, imported: dict[str, Any], validity: str, reason: str
) -> None:
    with pytest.raises(TransferDecisionNeedsReason):
        decide(cast, "1", validity, reason)


def test_a_data_collector_cannot_decide(cast: Cast, imported: dict[str, Any]) -> None:
    actor, transfer = cast.actor(cast.collector_a), transfers()["1"]
    with scope(actor, towns=[TOWN_A]), pytest.raises(Forbidden):
        decide_validity(transfer.id, actor=actor, validity="usable", reason="x", decided_at=NOW)


def test_another_town_s_transfer_is_not_there(cast: Cast, imported: dict[str, Any]) -> None:
    actor, transfer = cast.actor(cast.assessor_b), transfers()["1"]
    with scope(actor, towns=[TOWN_B]), pytest.raises(TransferNotFound):
        decide_validity(transfer.id, actor=actor, validity="usable", reason="x", decided_at=NOW)
    with scope(actor, towns=[TOWN_B]), pytest.raises(TransferNotFound):
        selectors.get_transfer(transfer.id)


def give(cast: Cast, serial: str, property_id: UUID, reason: str = "The deed says so.") -> None:
    transfer, actor = transfers()[serial], cast.actor(cast.assessor_a)
    with scope(actor, towns=[TOWN_A]):
        give_property(transfer.id, actor=actor, property_id=property_id, reason=reason)


def test_a_unit_s_sale_can_be_given_its_own_account_by_hand(cast: Cast, imported: dict[str, Any]) -> None:
    give(cast, "4", imported["elm-1"])
    transfer = transfers()["4"]
    assert (transfer.property_id, transfer.complex_id) == (imported["elm-1"], None)


def test_a_property_of_another_town_cannot_be_given(cast: Cast, imported: dict[str, Any]) -> None:
    with pytest.raises(TransferPropertyUnknown):
        give(cast, "3", imported["oak-5"])


def test_the_transfers_of_a_property_and_of_a_town_are_listed(cast: Cast, imported: dict[str, Any]) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [one.serial_number for one in selectors.list_property_transfers(imported["elm-1"])] == ["1"]
        page, total = selectors.list_transfers(TOWN_A, limit=2)
        assert ([one.serial_number for one in page], total) == (["5", "4"], 5)
        missing, _ = selectors.list_transfers(TOWN_A, match_reason="no-such-number")
        assert [one.serial_number for one in missing] == ["3"]


def test_only_matched_and_usable_sales_of_whole_properties_are_evidence(
    cast: Cast, imported: dict[str, Any]
) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [one.serial_number for one in selectors.usable_sales([TOWN_A])] == ["1"]
    decide(cast, "2", "usable", "The change was a shed.")
    with scope(SYSTEM, towns=[TOWN_A]):
        assert [one.serial_number for one in selectors.usable_sales([TOWN_A])] == ["1", "2"]


def test_outcomes_are_counted_for_a_town(cast: Cast, imported: dict[str, Any]) -> None:
    with scope(SYSTEM, towns=[TOWN_A]):
        assert selectors.count_by_outcome(TOWN_A) == {
            "match_method": {"complex": 1, "exact": 2},
            "match_reason": {"no-such-number": 1, "several-properties": 1},
            "validity": {"not-usable": 1, "price-only": 1, "usable": 3},
        }
