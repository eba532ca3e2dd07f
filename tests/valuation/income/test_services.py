"""Returns are confidential; a run values by market figures and reconciles with a reason."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from assessment.property.models import Building, Property
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from assessment.sales.models import Transfer
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import YEAR, Bureau
from tests.valuation.runs.test_services import interim
from valuation.income.errors import IncomeRefused
from valuation.income.models import IncomeRates, IncomeReturn
from valuation.income.selectors import find_town_rates, list_returns
from valuation.income.services import record_return, set_income_rates
from valuation.runs.models import Conclusion, Estimate, Run
from valuation.runs.pages import _explained
from valuation.runs.services import run_valuation

pytestmark = pytest.mark.django_db
RECEIVED = dt.date(2025, 6, 1)
SECRET = 987_654


def shops(bureau: Bureau, count: int = 4) -> list[Property]:
    houses = bureau.houses[10 : 10 + count]
    for house in houses:
        Property.objects.filter(pk=house.pk).update(state_class="200")
        Building.objects.filter(property=house).update(living_area_sqft=4_000)
    return houses


def returned(bureau: Bureau, house: Property, rent: int, **more: int) -> IncomeReturn:
    figures = {"vacancy_loss": rent // 10, "expenses": rent // 4, **more}
    return record_return(
        house,
        actor=bureau.assessor,
        income_year=2024,
        received_on=RECEIVED,
        area_sqft=4_000,
        gross_rent=rent,
        **figures,
    )


def rates(bureau: Bureau, **more: object) -> IncomeRates:
    options = {"list_year": YEAR, "mill_rate": Decimal("30"), "source": "a test"} | more
    return set_income_rates(bureau.town, actor=bureau.assessor, **options)  # type: ignore[arg-type]


def test_rented_property_is_reconciled_from_cost_and_income_with_weights_and_reason(bureau: Bureau) -> None:
    houses = shops(bureau)
    before = bureau.run()
    rates(bureau, weights={"commercial": 60})
    for house, rent in zip(houses, (60_000, 80_000, 100_000), strict=False):
        returned(bureau, house, rent)
    run = bureau.run()
    assert run.counts["income_estimates"] == 4
    assert run.snapshot_sha256 != before.snapshot_sha256
    values = Conclusion.objects.filter(run=run)
    assert run.counts["appraised_dollars"] == sum(values.values_list("value", flat=True))
    for house in houses:
        income = Estimate.objects.get(run=run, property=house, approach="income")
        cost = Estimate.objects.get(run=run, property=house, approach="cost")
        conclusion = values.get(property=house)
        # The median rent is 80,000 / 4,000 = $20: 80,000 - 8,000 - 27.78 % of 72,000 - 3 % of 72,000.
        net = 72_000 * (1 - 0.25 / 0.9 - 0.03)
        assert income.value == pytest.approx(net / (0.08 + 0.021), abs=51)
        assert sum(dollars for _, dollars in income.explanation) == income.value
        assert income.low < income.value < income.high
        assert conclusion.value == pytest.approx(0.4 * cost.value + 0.6 * income.value, abs=51)
        assert conclusion.weights == {"cost": 0.4, "income": 0.6}
        assert "12-63b" in conclusion.reason
        assert "not verified" in conclusion.reason
        assert sum(line[1] for line in conclusion.components) == conclusion.value
        told = _explained(conclusion, [cost, income])
        assert sum(dollars for _, dollars in told) == conclusion.value
    other = values.get(property=bureau.houses[30])
    assert other.weights == {"cost": 1.0}
    assert other.value == Conclusion.objects.get(run=before, property=bureau.houses[30]).value
    assert bureau.run().values_sha256 == run.values_sha256


def test_one_owner_s_rent_reaches_neither_an_estimate_nor_a_text(bureau: Bureau) -> None:
    houses = shops(bureau)
    rates(bureau)
    for house, rent in zip(houses, (SECRET, 80_000, 60_000, 85_000), strict=True):
        returned(bureau, house, rent)
    run = bureau.run()
    kept = [
        *Estimate.objects.filter(run=run).values(),
        *Conclusion.objects.filter(run=run).values(),
        run.tables,
    ]
    text = json.dumps(kept, default=str)
    assert str(SECRET) not in text
    assert f"{SECRET:,}" not in text
    values = Estimate.objects.filter(run=run, approach="income", property__in=houses)
    assert len(set(values.values_list("value", flat=True))) == 1


def sales_of(
    bureau: Bureau, houses: list[Property], *, on: dt.date = dt.date(YEAR, 10, 1), **more: object
) -> None:
    for number, house in enumerate(houses):
        facts: dict[str, object] = {
            "list_year": YEAR, "serial_number": f"S{on}{house.account_number}", "price": 500_000 + 1_000 * number,
            "match_method": "exact", "suggested_validity": "usable", "suggested_reason": "none",
            "decided_validity": "usable", "decided_reason": "a test", "decided_at": timezone.now(),
        }  # fmt: skip
        Transfer.objects.create(town=bureau.town, property=house, recorded_on=on, **facts | more)


def commercial(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.tables["income"]["rates"]["commercial"]
    return found


def test_the_capitalisation_rate_is_that_of_sales_with_returns_and_the_reason_says_of_how_many(
    bureau: Bureau,
) -> None:
    houses = shops(bureau)
    rates(bureau)
    for house, rent in zip(houses[:3], (60_000, 80_000, 100_000), strict=True):
        returned(bureau, house, rent)
    without = bureau.run()
    assert (commercial(without)["rate_percent"], commercial(without)["rate_sales"]) == (8.0, 0)
    sales_of(bureau, houses[:3])
    run = bureau.run()
    # 501,000 paid for rent 80,000, less vacancy 8,000, expenses 20,000 and 3 % of 72,000: 9.948 %, less 2.1.
    assert (commercial(run)["rate_percent"], commercial(run)["rate_sales"]) == (7.8, 3)
    assert commercial(run)["verified"] is False
    conclusion = Conclusion.objects.get(run=run, property=houses[0])
    assert "market figures of 3 returns, capitalisation rate 7.8 % of 3 sales" in conclusion.reason
    assert "not verified" in conclusion.reason
    income = Estimate.objects.get(run=run, property=houses[3], approach="income")
    assert income.value > Estimate.objects.get(run=without, property=houses[3], approach="income").value
    again = bureau.run()
    assert (again.values_sha256, again.snapshot_sha256) == (run.values_sha256, run.snapshot_sha256)
    assert again.tables["income"] == run.tables["income"]
    rates(bureau, rates={"commercial": {"rate_percent": 9.5}})
    own = commercial(bureau.run())
    assert (own["rate_percent"], own["rate_sales"], own["returns"]) == (9.5, 0, 3)


@pytest.mark.parametrize(
    "third",
    [
        {"on": dt.date(YEAR, 10, 2)},
        {"on": dt.date(YEAR - 3, 9, 30)},
        {"decided_validity": "not-usable"},
        {"decided_validity": "", "decided_reason": "", "decided_at": None},
        None,
    ],
    ids=["after-the-list-s-day", "too-old", "found-not-usable", "only-the-machine-s-opinion", "none"],
)
def test_fewer_than_three_sales_that_count_change_nothing(
    bureau: Bureau, third: dict[str, Any] | None
) -> None:
    houses = shops(bureau)
    rates(bureau)
    for house, rent in zip(houses[:3], (60_000, 80_000, 100_000), strict=True):
        returned(bureau, house, rent)
    sales_of(bureau, houses[:2])
    sales_of(bureau, houses[:1], on=dt.date(YEAR, 3, 1))  # the same owner once more is no third
    sales_of(bureau, houses[3:4])  # no return
    if third is not None:
        sales_of(bureau, houses[2:3], **third)
    run = bureau.run()
    assert (commercial(run)["rate_percent"], commercial(run)["rate_sales"]) == (8.0, 0)
    assert not any(" sales" in row.reason for row in Conclusion.objects.filter(run=run))


def test_two_to_six_families_are_valued_by_the_multiplier_that_their_sales_show(bureau: Bureau) -> None:
    houses = shops(bureau)
    Property.objects.filter(pk__in=[house.pk for house in houses]).update(
        state_class="", use_description="Two family"
    )
    rates(bureau)
    for house in houses[:3]:
        returned(bureau, house, 50_000)
    sales_of(bureau, houses[:3])
    run = bureau.run()
    told = run.tables["income"]["rates"]["multi"]
    assert (told["gross_rent_multiplier"], told["multiplier_sales"]) == (10.0, 3)
    income = Estimate.objects.get(run=run, property=houses[3], approach="income")
    assert income.value == 500_000  # $12.50 a square foot x 4,000 x 10
    assert income.explanation == [
        ["$50,000 gross rent a year x 10.00, the market's multiplier, of 3 sales", 500_000]
    ]


def test_what_the_town_set_of_a_group_stays_beside_the_returns(bureau: Bureau) -> None:
    houses = shops(bureau)
    rates(bureau, rates={"commercial": {"vacancy_percent": 4}})
    for house, rent in zip(houses[:3], (60_000, 80_000, 100_000), strict=True):
        returned(bureau, house, rent)
    told = commercial(bureau.run())
    assert (told["vacancy_percent"], told["returns"], told["rent_dollars"]) == (4, 3, 20.0)


def test_nothing_is_valued_by_income_without_a_mill_rate_or_a_rent(bureau: Bureau) -> None:
    houses = shops(bureau)
    returned(bureau, houses[0], 60_000)
    assert not Estimate.objects.filter(run=bureau.run(), approach="income").exists()
    rates(bureau)
    assert not Estimate.objects.filter(run=bureau.run(), approach="income").exists()
    rates(bureau, rates={"commercial": {"rent_dollars": 18.0, "rate_percent": 9.0}})
    found = find_town_rates(bureau.town.code, YEAR)
    assert found is not None
    assert found.rates["commercial"].rate_percent == 9.0
    assert Estimate.objects.filter(run=bureau.run(), approach="income").count() == 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"gross_rent": -1},
        {"area_sqft": 0},
        {"vacancy_loss": 10**9},
        {"income_year": 2031},
    ],
)
def test_a_return_that_cannot_be_is_refused(bureau: Bureau, wrong: dict[str, int]) -> None:
    figures = {"income_year": 2024, "area_sqft": 900, "gross_rent": 9_000} | wrong
    with pytest.raises(IncomeRefused):
        record_return(bureau.houses[3], actor=bureau.assessor, received_on=RECEIVED, **figures)
    assert not IncomeReturn.objects.exists()


def test_returns_and_rates_need_their_permissions_and_are_never_altered(bureau: Bureau) -> None:
    cast = bureau.cast
    returned(bureau, bureau.houses[3], 50_000)
    clerk = cast.actor(cast.clerk_a)
    with pytest.raises(Forbidden):
        list_returns(bureau.houses[3].pk, bureau.town.code, actor=clerk)
    with pytest.raises(Forbidden):
        record_return(
            bureau.houses[3], actor=clerk, income_year=2024, received_on=RECEIVED, area_sqft=1, gross_rent=1
        )
    with pytest.raises(Forbidden):
        set_income_rates(
            bureau.town, actor=cast.actor(cast.deputy_a), list_year=YEAR, mill_rate=Decimal(30), source="x"
        )
    for wrong in (
        {"mill_rate": Decimal(0)},
        {"source": " "},
        {"rates": {"castle": {}}},
        {"rates": {"multi": {"rate_sales": 40}}},
        {"weights": {"multi": 101}},
    ):
        with pytest.raises(IncomeRefused):
            rates(bureau, **wrong)
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM valuation_incomereturn")
    with scope(cast.actor(cast.assessor_b), towns=[cast.town_b.code]):
        assert not IncomeReturn.objects.exists()


def test_the_page_is_for_who_may_see_confidential_things_and_the_card_tells_others_nothing(
    cast: Cast, signed_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        house = Property.objects.create(
            town=cast.town_a, account_number="1", address="1 SHOP ST", state_class="200"
        )
    address = f"/t/{cast.town_a.slug}/properties/{house.pk}/income/"
    client = signed_in(cast.assessor_a.email)
    body = {
        "income_year": "2024",
        "received_on": "2025-06-01",
        "area_sqft": "4,000",
        "gross_rent": f"${SECRET}",
    }
    assert client.post(address, body).status_code == 302
    assert client.post(address, body | {"gross_rent": "much"}).status_code == 302
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert [row.gross_rent for row in IncomeReturn.objects.all()] == [SECRET]
    assert f"{SECRET:,}" in client.get(address).content.decode()
    card = f"/t/{cast.town_a.slug}/properties/{house.pk}/"
    assert "Income and expenses" in client.get(card).content.decode()
    clerk = signed_in(cast.clerk_a.email)
    assert clerk.get(address).status_code == 403
    assert clerk.post(address, body).status_code == 403
    assert "Income and expenses" not in clerk.get(card).content.decode()
    api = f"/api/v1/towns/{cast.town_a.slug}/income/returns/{house.pk}"
    assert client.get(api).json()[0]["gross_rent"] == SECRET
    assert clerk.get(api).status_code == 403
    assert signed_in(cast.assessor_b.email).get(api).status_code == 404
    assert client.get(api.replace(str(house.pk), str(uuid4()))).status_code == 404


def test_the_command_takes_returns_and_rates_and_tells_what_it_refused(
    cast: Cast, tmp_path: Path, capsys
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        Property.objects.create(town=cast.town_a, account_number="77", address="7 SHOP ST", state_class="200")
    path = tmp_path / "returns.csv"
    path.write_text(
        'account,income_year,area_sqft,gross_rent,expenses\n77,2024,4000,"$80,000",20000\n78,2024,1,1,0\n77,2024,0,1,0\n',
        encoding="utf-8",
    )
    call_command(
        "import_income", path, town=cast.town_a.slug, year=2025, mill_rate="30.5", source="council", json=True
    )
    done = json.loads(capsys.readouterr().out)
    assert (done["rows"], done["recorded"], len(done["refused"])) == (3, 1, 2)
    assert "line 3" in done["refused"][0]
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert IncomeReturn.objects.get().gross_rent == 80_000
        assert IncomeRates.objects.get().mill_rate == Decimal("30.500")


def test_an_interim_year_keeps_the_income_figures_of_the_base_revaluation(bureau: Bureau) -> None:
    shops(bureau)
    rates(bureau, rates={"commercial": {"rent_dollars": 18.0}})
    interim(bureau)
    base = Run.objects.get(state=Run.State.POSTED)
    assert base.counts["income_estimates"] == 4
    rates(bureau, list_year=YEAR + 1, mill_rate=Decimal(60), rates={"commercial": {"rent_dollars": 40.0}})
    after = run_valuation(bureau.town, year=YEAR + 1, spec=bureau.spec, actor=bureau.assessor)
    assert after.base_run == base
    assert after.tables["income"] == base.tables["income"]
    before = dict(Conclusion.objects.filter(run=base).values_list("property_id", "value"))
    assert dict(Conclusion.objects.filter(run=after).values_list("property_id", "value")) == before
