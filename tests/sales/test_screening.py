"""Sales out of line are found with the group, its size and the deviation; nothing is decided by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from assessment.property.models import Building, Permit, Property
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.sales.models import SaleFinding, Transfer
from assessment.sales.rules.screening import ScreenedSale, screen
from assessment.sales.services.screening import screen_sales
from tests.cast import PASSWORD, SYSTEM, Cast

SALE = ScreenedSale(
    key="a", recorded_on=dt.date(2025, 3, 1), price=300_000, assessed=210_000, living_area_sqft=1500.0, kind="100",
    neighbourhood="N1", sold_as="Residential Single Family", year_built=1960, has_building=True, is_condo=False,
    permit_after=None,
)  # fmt: skip


def many(count: int, **fields: object) -> list[ScreenedSale]:
    random = np.random.default_rng(9)
    return [
        replace(SALE, key=f"s{at}", price=int(300_000 * factor), assessed=int(210_000 * factor), **fields)  # type: ignore[arg-type]
        for at, factor in enumerate(np.exp(random.normal(0, 0.1, count)))
    ]


def test_a_price_far_from_its_group_is_found_with_the_group_its_size_and_the_deviation() -> None:
    found = screen([*many(40), replace(SALE, price=30_000)], least=30, limit=3)
    mine = {each.code: each for each in found if each.key == "a"}
    assert set(mine) == {"price", "price_per_sqft", "ratio"}
    price = mine["price"]
    assert (price.n, price.group, price.figure) == (41, "100, neighbourhood N1", 30_000)
    assert price.middle == pytest.approx(300_000, rel=0.05)
    assert price.deviation < -10
    assert mine["ratio"].deviation > 10


def test_a_small_neighbourhood_is_compared_with_the_town_and_a_small_town_not_at_all() -> None:
    odd = replace(SALE, neighbourhood="N9", price=3_000_000)
    found = screen([*many(40), odd], least=30, limit=3)
    assert {each.group for each in found if each.key == "a"} == {"100, whole town"}
    assert not [each for each in screen([*many(20), odd], least=30, limit=3) if each.key == "a"]


def test_like_sales_have_no_finding() -> None:
    assert screen(many(200), least=30, limit=5) == []


@given(st.permutations(range(35)), st.floats(0.1, 10))
def test_the_order_of_the_sales_changes_no_finding(order: list[int], factor: float) -> None:
    sales = [*many(34), replace(SALE, price=int(300_000 * factor))]
    plain = {(each.key, each.code, each.deviation) for each in screen(sales, least=30, limit=3)}
    mixed = {
        (each.key, each.code, each.deviation)
        for each in screen([sales[at] for at in order], least=30, limit=3)
    }
    assert plain == mixed


@pytest.mark.parametrize(("changed", "code"), [
    ({"permit_after": dt.date(2025, 5, 1)}, "permit_after"), ({"year_built": 2026}, "built_after"),
    ({"sold_as": "Vacant Land"}, "sold_as_land"), ({"sold_as": "Condo"}, "sold_as_condo"),
    ({"is_condo": True}, "not_sold_as_condo"),
])  # fmt: skip
def test_what_changed_since_the_sale_is_found(changed: dict, code: str) -> None:
    assert [each.code for each in screen([replace(SALE, **changed)], least=30, limit=3)] == [code]
    assert screen([SALE], least=30, limit=3) == []


@pytest.fixture
def sold(cast: Cast) -> Transfer:
    """Forty like sales and one at a tenth of the price, with a permit after it."""
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        for at, sale in enumerate(many(41)):
            house = Property.objects.create(
                town=cast.town_a,
                account_number=str(at),
                address=f"{at} ELM ST",
                state_class="100",
                neighbourhood="N1",
            )
            Building.objects.create(town=cast.town_a, property=house, living_area_sqft=1500, year_built=1960)
            odd = Transfer.objects.create(
                town=cast.town_a, list_year=2024, serial_number=str(at), recorded_on=dt.date(2025, 3, 1),
                price=30_000 if at == 40 else sale.price, assessed_value=210_000, property=house,
                match_method="exact", suggested_validity="usable", suggested_reason="no-nonuse-code",
            )  # fmt: skip
        Permit.objects.create(
            town=cast.town_a,
            property=house,
            permit_number="B-1",
            issued_on=dt.date(2025, 6, 1),
            kind="Addition",
        )
    return odd


@pytest.mark.django_db
def test_a_screen_writes_its_findings_once_and_leaves_validity_to_people(cast: Cast, sold: Transfer) -> None:
    assessor = cast.actor(cast.assessor_a)
    with scope(assessor, towns=[cast.town_a.code], reason="a test"):
        for _ in range(2):
            screen_sales(cast.town_a.code, actor=assessor, now=timezone.now())
        codes = set(SaleFinding.objects.filter(transfer=sold).values_list("code", flat=True))
        assert codes == {"price", "price_per_sqft", "ratio", "permit_after"}
        sold.refresh_from_db()
        assert sold.validity == "usable"
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        assert not SaleFinding.objects.exists()


@pytest.mark.django_db
def test_who_may_not_decide_sales_does_not_screen_them(cast: Cast, sold: Transfer) -> None:
    clerk = cast.actor(cast.clerk_a)
    with scope(clerk, towns=[cast.town_a.code]), pytest.raises(Forbidden):
        screen_sales(cast.town_a.code, actor=clerk, now=timezone.now())


@pytest.mark.django_db
def test_the_pages_screen_narrow_and_show_why(cast: Cast, sold: Transfer) -> None:
    client = Client()
    client.post("/sign-in", {"username": cast.assessor_a.email, "password": PASSWORD})
    address = f"/t/{cast.town_a.slug}/sales/"
    answer = client.post(address + "screen", follow=True)
    assert "40 ELM ST" in answer.content.decode()
    text = client.get(f"{address}{sold.pk}/").content.decode()
    assert "100, neighbourhood N1" in text
    assert "a permit was issued after the sale" in text
    client.post(f"{address}{sold.pk}/decide", {"validity": "not-usable", "reason": "between brothers"})
    assert (
        "40 ELM ST</a>" not in client.get(address, {"finding": "any"}).content.decode().split("<tbody>")[-1]
    )
