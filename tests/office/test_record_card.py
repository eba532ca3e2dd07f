"""The record card page."""

import datetime as dt

import pytest
from django.test import Client

from assessment.office.history import list_changes
from assessment.office.pages.card import list_assessment_days
from assessment.property.models import Code, Ownership, Property
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.office.conftest import Houses, SignedIn


def page_of(client: Client, cast: Cast, house: Property, extra: str = "") -> str:
    answer = client.get(f"/t/{cast.town_a.slug}/properties/{house.id}/{extra}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_card_shows_land_building_sketch_owner_permit_and_who_made_it(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    page = page_of(sign_in(cast.assessor_a), cast, houses.in_a)
    for text in ("12 ELM STREET", "12/1", "Colonial", "1,920", "Sketch: BAS, 960 square feet", "OWNER OF 12 ELM",
                 "PO BOX 12", "B-12", "$18,000", "a house for the tests"):  # fmt: skip
        assert text in page


def test_a_section_shows_its_share_of_effective_area_by_the_town_s_table(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="code table"):
        Code.objects.create(
            town=cast.town_a, table="section", code="BAS", label="First floor",
            attributes={"living_share": 1.0, "effective_share": 0.75},
        )  # fmt: skip
    page = page_of(sign_in(cast.assessor_a), cast, houses.in_a)
    assert "BAS First floor" in page
    assert '<td class="num">720</td>' in page


def test_the_printed_card_has_the_record_and_no_navigation(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    page = page_of(sign_in(cast.assessor_a), cast, houses.in_a, "print")
    assert "Colonial" in page
    assert "printed" in page
    assert "<nav" not in page


def test_a_protected_address_is_withheld_from_those_who_may_not_see_it(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="CGS 1-217"):
        Ownership.objects.filter(property=houses.in_a).update(is_confidential=True)
    assert "PO BOX 12" in page_of(sign_in(cast.assessor_a), cast, houses.in_a)
    hidden = page_of(sign_in(cast.clerk_a), cast, houses.in_a)
    assert "PO BOX 12" not in hidden
    assert "OWNER OF 12" not in hidden
    assert "Confidential" in hidden


def test_a_change_is_told_with_its_reason_before_and_after(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code], reason="field check of March"):
        Property.objects.filter(id=houses.in_a.id).update(zoning="R-4")
    page = page_of(sign_in(cast.assessor_a), cast, houses.in_a, "history")
    assert "field check of March" in page
    assert "Ada Assessor" in page
    assert "R-4" in page


def test_a_day_that_is_none_shows_the_record_as_it_is_now(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    assert "The record as of" not in page_of(sign_in(cast.assessor_a), cast, houses.in_a, "?as_of=someday")


def test_the_card_of_a_day_shows_what_was_true_on_it(cast: Cast, houses: Houses, sign_in: SignedIn) -> None:
    client = sign_in(cast.assessor_a)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="was a garden", effective_on=dt.date(2099, 1, 1)):
        Property.objects.filter(id=houses.in_a.id).update(zoning="GARDEN")
    today = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    then = page_of(client, cast, houses.in_a, f"?as_of={today.isoformat()}")
    assert "The record as of" in then
    assert "Colonial" in then
    assert "<dd>GARDEN</dd>" not in then
    assert "<dd>GARDEN</dd>" in page_of(client, cast, houses.in_a)


def test_a_day_before_the_property_was_on_record_shows_it_as_it_is_and_says_so(
    cast: Cast, houses: Houses, sign_in: SignedIn
) -> None:
    url = f"/t/{cast.town_a.slug}/properties/{houses.in_a.id}/?as_of=1990-10-01"
    answer = sign_in(cast.assessor_a).get(url, follow=True)
    assert "was not on record" in answer.content.decode()
    assert "Colonial" in answer.content.decode()


@pytest.mark.parametrize(
    ("today", "latest"),
    [(dt.date(2025, 9, 30), 2024), (dt.date(2025, 10, 1), 2025), (dt.date(2026, 1, 31), 2025)],
)
def test_the_last_assessment_day_is_the_last_1_october(today: dt.date, latest: int) -> None:
    assert list_assessment_days(today)[0] == dt.date(latest, 10, 1)


def test_the_history_tells_a_value_that_was_seen_also_where_it_is_0_or_nothing() -> None:
    entered = {"field": (None, "bedrooms"), "value": (None, 0), "unit": (None, "")}
    told = list_changes(entered, always={"value"})
    assert [(change.field, change.after) for change in told] == [("Field", "bedrooms"), ("Value", 0)]
    assert [change.field for change in list_changes(entered)] == ["Field"]
