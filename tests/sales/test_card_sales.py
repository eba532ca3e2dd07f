import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from assessment.property.imports.outcome import StatedSale
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.sales.selectors import usable_sales
from assessment.sales.services import decide_validity, take_over_card_sales
from assessment.sales.services.card_sales import list_year_of
from tests.cast import SYSTEM, TOWN_A, Cast
from tests.sales.conftest import NOW, WriteFile, run_import, transfers


def on_card(
    property_id: UUID,
    *,
    card: str = "1",
    price: int | None = 200_000,
    sold_on: dt.date | None = dt.date(2022, 1, 3),
    book_page: str = "10/20",
    qualified: str = "Q",
) -> StatedSale:
    return StatedSale(property_id, card, 2, price, sold_on, book_page, qualified, "1 ELM ST")


def take_over(*sales: StatedSale) -> dict[str, int]:
    return dict(take_over_card_sales(sales, actor=SYSTEM, town_code=TOWN_A))


def test_a_sale_on_a_card_is_of_the_card_s_property_and_judged_by_the_vendor_s_mark(
    properties: dict[str, Any],
) -> None:
    take_over(
        on_card(properties["elm-1"]),
        on_card(properties["elm-1"], sold_on=dt.date(2015, 1, 3), book_page="1/2", qualified=""),
        on_card(properties["elm-3"], card="3", book_page="3/4", qualified="U"),
        on_card(properties["elm-3"], card="3", book_page="3/5", price=0),
    )
    judged = {one.serial_number: (one.property_id, one.suggested_reason) for one in transfers().values()}
    assert judged == {
        "1 20220103 10/20": (properties["elm-1"], "card-qualified"),
        "1 20150103 1/2": (properties["elm-1"], "card-says-nothing"),
        "3 20220103 3/4": (properties["elm-3"], "card-unqualified"),
        "3 20220103 3/5": (properties["elm-3"], "price-below-minimum"),
    }


def test_the_same_cards_again_change_nothing_and_leave_decisions_alone(
    cast: Cast, properties: dict[str, Any]
) -> None:
    take_over(on_card(properties["elm-1"]))
    actor, (transfer,) = cast.actor(cast.assessor_a), transfers().values()
    with scope(actor, towns=[TOWN_A]):
        decide_validity(transfer.id, actor=actor, validity="not-usable", reason="An auction.", decided_at=NOW)
    assert take_over(on_card(properties["elm-1"])) == {"added": 0, "changed": 0, "unchanged": 1}
    corrected = take_over(on_card(properties["elm-1"], price=201_000))
    assert corrected == {"added": 0, "changed": 1, "unchanged": 0}
    (transfer,) = transfers().values()
    assert (transfer.price, transfer.validity) == (201_000, "not-usable")


def test_a_card_that_repeats_a_sale_gives_one_with_the_mark(properties: dict[str, Any]) -> None:
    take_over(on_card(properties["elm-1"]), on_card(properties["elm-1"], qualified=""))
    (transfer,) = transfers().values()
    assert transfer.suggested_reason == "card-qualified"


def test_a_deed_on_two_cards_is_for_several_properties(properties: dict[str, Any]) -> None:
    take_over(on_card(properties["elm-1"]), on_card(properties["elm-3"], card="3"))
    assert {one.suggested_reason for one in transfers().values()} == {"several-properties"}


def test_a_sale_without_day_or_price_is_counted_and_left_out(properties: dict[str, Any]) -> None:
    counts = take_over(on_card(properties["elm-1"], price=None), on_card(properties["elm-1"], sold_on=None))
    assert counts["without_price"] == 2
    assert transfers() == {}


def test_a_sale_that_the_state_s_file_has_too_counts_once(
    properties: dict[str, Any], sales_file: WriteFile
) -> None:
    run_import(sales_file())
    take_over(
        on_card(properties["elm-1"]),
        on_card(properties["elm-1"], sold_on=dt.date(2018, 5, 1), book_page="7/7"),
    )
    with scope(SYSTEM, towns=[TOWN_A]):
        found = [(one.source, one.recorded_on.year) for one in usable_sales([TOWN_A])]
    assert found == [("card", 2018), ("state", 2022)]


def test_only_who_may_import_takes_card_sales_over(cast: Cast, properties: dict[str, Any]) -> None:
    with pytest.raises(Forbidden):
        take_over_card_sales(
            [on_card(properties["elm-1"])], actor=cast.actor(cast.collector_a), town_code=TOWN_A
        )


@pytest.mark.parametrize(("day", "year"), [(dt.date(2022, 9, 30), 2021), (dt.date(2022, 10, 1), 2022)])
def test_a_list_is_in_force_from_the_first_of_october(day: dt.date, year: int) -> None:
    assert list_year_of(day) == year
