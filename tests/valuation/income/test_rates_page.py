"""The town's income figures on their page and over HTTP: read by the office, set by who may edit models."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.income.test_services import rates, returned, sales_of, shops
from tests.valuation.runs.conftest import YEAR, Bureau
from valuation.income.models import IncomeRates
from valuation.income.services import set_income_rates

pytestmark = pytest.mark.django_db

TYPED = {
    "list_year": "2025",
    "mill_rate": "32.46",
    "source": "rent survey of May",
    "commercial-rent_dollars": "$18.50",
    "commercial-rate_percent": "7.5 %",
    "commercial-weight": "55",
    "multi-gross_rent_multiplier": "9.25",
}


def page_of(cast: Cast) -> str:
    return f"/t/{cast.town_a.slug}/income-rates/"


def kept(cast: Cast) -> list[IncomeRates]:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        return list(IncomeRates.objects.all())


def text_of(client: Client, address: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(address).content.decode()))


def test_figures_are_set_on_the_page_and_stand_there_apart_from_the_placeholders(
    cast: Cast, signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    empty = text_of(client, f"{page_of(cast)}?year=2025")
    assert "has set no mill rate" in empty
    assert "Nothing has been set yet" in empty
    answer = client.post(page_of(cast), TYPED)
    assert (answer.status_code, answer["Location"]) == (302, f"{page_of(cast)}?year=2025")
    (row,) = kept(cast)
    assert (row.list_year, row.mill_rate, row.source) == (2025, Decimal("32.460"), "rent survey of May")
    assert row.rates == {
        "commercial": {"rent_dollars": 18.5, "rate_percent": 7.5},
        "multi": {"gross_rent_multiplier": 9.25},
    }
    assert (row.weights, row.verified, row.recorded_by_name) == (
        {"commercial": 55.0},
        False,
        cast.assessor_a.name,
    )
    shown = text_of(client, f"{page_of(cast)}?year=2026")
    assert "set for the list of 2025 and not set anew since" in shown
    assert "Not verified" in shown
    # 7.5 % and 32.46 mills of 70 %: 7.5 + 2.2722.
    line = "Commercial $18.50 set by the town 10 % placeholder 25 % placeholder 3 % placeholder 7.5 % set by the town"
    assert f"{line} \N{EN DASH} 55 % set by the town 9.772 %" in shown
    assert "Two to six families: gross rent multiplier 9.25" in shown
    assert 'value="7.5"' in client.get(page_of(cast)).content.decode()


def test_a_later_row_is_in_force_and_the_earlier_one_stays_in_the_history(
    cast: Cast, signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    client.post(page_of(cast), TYPED)
    client.post(page_of(cast), TYPED | {"mill_rate": "40", "verified": "on", "source": "the second"})
    client.post(page_of(cast), TYPED | {"mill_rate": "50", "list_year": "2027", "source": "the third"})
    shown = text_of(client, f"{page_of(cast)}?year=2025")
    assert "Mill rate 40.000 . Verified. Source: the second." in shown
    assert shown.count("in force") == 1
    assert shown.index("the third") < shown.rindex("the second") < shown.index("rent survey of May")
    assert len(kept(cast)) == 3
    assert "has set no mill rate" in text_of(client, f"{page_of(cast)}?year=2024")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mill_rate": "about 30"}, "Mill rate: a number from 0.001 to 199.999."),
        ({"mill_rate": ""}, "Mill rate: the town"),
        ({"source": ""}, "Source: say in 3 to 400 characters where the figures come from."),
        ({"list_year": "25"}, "List year: four digits, such as 2025."),
        ({"commercial-rate_percent": "0"}, "Commercial: Rate before tax: a number from 0.01 to 99.99."),
        ({"industrial-vacancy_percent": "100"}, "Industrial: Vacancy: a number from 0 to 99.99."),
        ({"apartment-weight": "101"}, "Apartments: Weight beside cost: a number from 0 to 100."),
        ({"multi-gross_rent_multiplier": "nan"}, "Two to six families: Gross rent multiplier: a number"),
    ],
)
def test_an_error_says_what_to_mend_keeps_nothing_and_loses_nothing_typed(
    cast: Cast, signed_in: SignedIn, wrong: dict[str, str], told: str
) -> None:
    typed = TYPED | {"apartment-expense_percent": "33.25", "verified": "on"} | wrong
    answer = signed_in(cast.assessor_a.email).post(page_of(cast), typed)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert told in text.replace("&#x27;", "'")
    assert kept(cast) == []
    fields = {
        name: re.search(rf'<input[^>]*name="{name}"[^>]*>', text)[0]
        for name in typed
        if name not in ("verified",)
    }
    lost = [
        name
        for name, value in typed.items()
        if name in fields and value and f'value="{value}"' not in fields[name]
    ]
    assert lost == []
    assert re.search(r'<input[^>]*name="verified"[^>]*checked', text)
    assert 'aria-invalid="true"' in fields[next(iter(wrong))]


def test_who_may_not_edit_models_reads_and_sets_nothing_and_another_town_sees_nothing(
    cast: Cast, signed_in: SignedIn
) -> None:
    with scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code]):
        set_income_rates(
            cast.town_a, actor=cast.actor(cast.assessor_a), list_year=2025, mill_rate=Decimal(30), source="a"
        )
    deputy = signed_in(cast.deputy_a.email)
    page = deputy.get(f"{page_of(cast)}?year=2025")
    assert page.status_code == 200
    assert "Keep the figures" not in page.content.decode()
    assert deputy.post(page_of(cast), TYPED).status_code == 403
    assert len(kept(cast)) == 1
    stranger = signed_in(cast.assessor_b.email)
    assert stranger.get(page_of(cast)).status_code == 404
    assert stranger.post(page_of(cast), TYPED).status_code == 404
    assert len(kept(cast)) == 1
    assert "Income rates" in deputy.get(f"/t/{cast.town_a.slug}/ratio-studies/").content.decode()


def test_the_page_shows_what_the_newest_run_took_from_returns_and_sales(
    bureau: Bureau, signed_in: SignedIn
) -> None:
    houses = shops(bureau)
    rates(bureau)
    for house, rent in zip(houses[:3], (60_000, 80_000, 100_000), strict=True):
        returned(bureau, house, rent)
    sales_of(bureau, houses[:3])
    client = signed_in(bureau.cast.assessor_a.email)
    address = f"{page_of(bureau.cast)}?year={YEAR}"
    assert "As the newest run used them" not in text_of(client, address)
    bureau.run()
    shown = text_of(client, address)
    assert "As the newest run used them" in shown
    assert re.search(r"Commercial \$20\.00 3 returns 10 % 27\.7778 % 3 % 7\.8 % 3 sales", shown)


def test_the_figures_are_read_over_http_by_the_office_and_nobody_else(
    cast: Cast, signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    address = f"/api/v1/towns/{cast.town_a.slug}/income/rates"
    assert client.get(address).json() == []
    for year in (2024, 2026, 2025):
        client.post(page_of(cast), TYPED | {"list_year": str(year)})
    found = signed_in(cast.clerk_a.email).get(address).json()
    assert [row["list_year"] for row in found] == [2026, 2025, 2024]
    assert found[0]["rates"]["commercial"] == {"rent_dollars": 18.5, "rate_percent": 7.5}
    assert len(client.get(f"{address}?limit=2").json()) == 2
    assert client.get(f"{address}?limit=0").status_code == 422
    assert signed_in(cast.assessor_b.email).get(address).status_code == 404
    assert Client().get(address).status_code == 401
