"""Income to value, by hand and by worked example."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from valuation.income.extraction import Sold, market_multiplier, market_rate_percent, rates_from_sales
from valuation.income.rules import (
    IncomeError,
    Rates,
    Statement,
    capitalise,
    default_rates,
    defaults,
    effective_tax_rate,
    loaded_rate,
    rates_from_statements,
    value_by_multiplier,
    whole_lines,
)

PLAIN = Rates(vacancy_percent=0, expense_percent=0, reserves_percent=0, rate_percent=8.0)
SHOP = Rates(vacancy_percent=10, expense_percent=30, reserves_percent=5, rate_percent=8.0, rent_dollars=20.0)


def test_a_rate_is_loaded_with_the_mills_of_seventy_percent() -> None:
    # SOURCE: CGS 12-62a (70 %), 12-63b; worked example: NOI 100,000, R 8 %, 30 mills: 0.101, 990,099.
    assert effective_tax_rate(30.0) == pytest.approx(0.021)
    assert loaded_rate(8.0, 30.0) == pytest.approx(0.101)
    assert round(capitalise(100_000, PLAIN, mill_rate=30.0).value) == 990_099


def test_the_tax_on_a_capitalised_value_is_what_the_load_paid_for() -> None:
    found = capitalise(100_000, PLAIN, mill_rate=30.0)
    tax = 0.70 * found.value * 30 / 1000
    assert (found.net_operating_income - tax) / found.value == pytest.approx(0.08)


def test_a_shop_by_hand() -> None:
    # 5,000 sq ft at $20: 100,000; less 10 %: 90,000; expenses 30 %: 27,000; reserves 5 %: 4,500; net 58,500.
    found = capitalise(5_000 * 20.0, SHOP, mill_rate=30.0)
    assert (found.vacancy, found.expenses, found.reserves) == pytest.approx((10_000, 27_000, 4_500))
    assert found.net_operating_income == pytest.approx(58_500)
    assert found.value == pytest.approx(58_500 / 0.101)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(1_000, 1e7), st.floats(5, 80))
def test_the_explanation_sums_to_the_value(income: float, mills: float) -> None:
    found = capitalise(income, SHOP, mill_rate=mills)
    rounded = 100 * round(found.value / 100)
    assert sum(dollars for _, dollars in found.explanation(rounded=rounded)) == rounded


def test_higher_taxes_or_rates_lower_a_value_and_no_income_is_worth_nothing() -> None:
    assert capitalise(1e5, SHOP, mill_rate=40).value < capitalise(1e5, SHOP, mill_rate=30).value
    assert capitalise(1e5, SHOP, mill_rate=30, points=1).value < capitalise(1e5, SHOP, mill_rate=30).value
    assert capitalise(0.0, SHOP, mill_rate=30).value == 0


def test_two_to_six_families_by_the_gross_rent_multiplier_of_sales() -> None:
    # 300,000 / 30,000 = 10; 260,000 / 25,000 = 10.4; 290,000 / 30,500 = 9.508: the median is 10.
    multiplier = market_multiplier([(300_000, 30_000), (260_000, 25_000), (290_000, 30_500)])
    assert multiplier == pytest.approx(10.0)
    assert value_by_multiplier(28_800, multiplier) == pytest.approx(288_000)
    assert market_multiplier([(300_000, 30_000)]) is None


def test_a_rate_is_extracted_from_sales_with_their_net_incomes_and_holds_no_tax() -> None:
    # 90,000 / 1,000,000 is 9 % with the tax in it; 30 mills of 70 % are 2.1 points: 6.9 %.
    pairs = [(80_000.0, 1e6), (90_000.0, 1e6), (100_000.0, 1e6)]
    found = market_rate_percent(pairs, mill_rate=30.0)
    assert found == pytest.approx(6.9)
    back = Rates(vacancy_percent=0, expense_percent=0, reserves_percent=0, rate_percent=found or 0.0)
    assert capitalise(90_000, back, mill_rate=30.0).value == pytest.approx(1e6)
    assert market_rate_percent(pairs[:2], mill_rate=30.0) is None
    assert market_rate_percent(pairs, mill_rate=150.0) is None  # tax takes all of it: no rate is made up


@given(st.permutations([7.04, 8.0, 8.06, 9.0, 12.0]))
def test_a_rate_is_to_a_tenth_and_the_same_in_any_order(percents: list[float]) -> None:
    # The median's own 8.06 % of the public price would be one owner's net income to the dollar.
    pairs = [(10_000 * percent, 1e6) for percent in percents]
    assert market_rate_percent(pairs, mill_rate=1e-9) == 8.1


def statement(rent: float, area: float = 1_000.0, group: str = "commercial") -> Statement:
    return Statement(group, area, rent, vacancy_loss=0.1 * rent, expenses=0.27 * rent, reserves=0.03 * rent)


def test_market_rents_are_medians_of_at_least_three_returns_so_that_nobody_s_can_be_read_off() -> None:
    base = default_rates()
    two = rates_from_statements([statement(20_000), statement(30_000)], base)
    assert two["commercial"].rent_dollars is None
    three = rates_from_statements([statement(20_000), statement(30_000), statement(22_000)], base)[
        "commercial"
    ]
    assert three.rent_dollars == pytest.approx(22.0)
    assert three.vacancy_percent == pytest.approx(10.0)
    assert three.expense_percent == pytest.approx(30.0)
    assert three.returns == 3
    assert rates_from_statements([statement(1, group="castle")] * 3, base).keys() == base.keys()


def sold(price: float, group: str = "commercial", area: float = 1_000.0) -> Sold:
    # Rent 20,000, vacancy 2,000, expenses 5,400, reserves 600: net operating income 12,000.
    return Sold(price, area, statement(20_000, group=group))


PRICES = (120_000.0, 150_000.0, 200_000.0)


def test_sales_give_the_rate_with_their_number_and_only_where_the_town_named_none() -> None:
    base = default_rates()
    rows = [sold(price) for price in PRICES]
    found = rates_from_sales(rows, base, mill_rate=30.0, named={})
    assert found["commercial"].rate_percent == pytest.approx(5.9)  # 12,000 / 150,000 = 8 %, less 2.1
    assert (found["commercial"].rate_sales, found["commercial"].verified) == (3, False)
    assert found["commercial"].gross_rent_multiplier is None
    assert {name: row for name, row in found.items() if name != "commercial"} == {
        name: row for name, row in base.items() if name != "commercial"
    }
    named = {"commercial": frozenset({"rate_percent"})}
    assert rates_from_sales(rows, base, mill_rate=30.0, named=named) == base


def test_two_sales_show_nothing_and_a_third_of_another_kind_or_another_area_does_not_help() -> None:
    base = default_rates()
    two = [sold(120_000), sold(150_000)]
    for third in (sold(200_000, "industrial"), sold(200_000, area=1_200.0), sold(200_000, area=0.0), sold(0)):
        assert rates_from_sales([*two, third], base, mill_rate=30.0, named={}) == base
    assert rates_from_sales([*two, sold(200_000, area=1_050.0)], base, mill_rate=30.0, named={}) != base


def test_two_to_six_families_take_their_multiplier_from_sales_too() -> None:
    rows = [sold(price, "multi") for price in PRICES]
    found = rates_from_sales(rows, default_rates(), mill_rate=30.0, named={})["multi"]
    assert (found.gross_rent_multiplier, found.multiplier_sales) == (7.5, 3)
    named = {"multi": frozenset({"gross_rent_multiplier"})}
    kept = rates_from_sales(rows, default_rates(), mill_rate=30.0, named=named)["multi"]
    assert (kept.gross_rent_multiplier, kept.rate_sales) == (None, 3)


def test_a_return_without_reserves_is_charged_the_market_s() -> None:
    row = Statement("commercial", 1_000, 20_000, vacancy_loss=2_000, expenses=6_000)
    assert Sold(1.0, 1_000, row).net_operating_income(3.0) == pytest.approx(12_000 - 0.03 * 18_000)
    assert sold(1.0).net_operating_income(50.0) == pytest.approx(12_000)


def test_net_operating_income_leaves_out_property_tax_and_takes_in_everything_else() -> None:
    row = Statement("apartment", 9_000, 120_000, 6_000, 8_000, 40_000, 3_000)
    assert row.effective_gross_income == 118_000
    assert row.net_operating_income == 75_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate_percent": 0},
        {"vacancy_percent": -1},
        {"expense_percent": 100},
        {"rent_dollars": 0},
        {"castle": 1},
        {"gross_rent_multiplier": -2},
    ],
)
def test_rates_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(IncomeError):
        Rates.from_json({**PLAIN.as_json(), **wrong})


def test_no_placeholder_says_that_it_is_verified_and_none_values_anything_alone() -> None:
    assert not any(row["verified"] for row in defaults()["groups"].values())
    assert not any(row["verified"] for row in defaults()["weights"].values())
    assert all(row.rent_dollars is None for row in default_rates().values())


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.integers(0, 10**7), min_size=1, max_size=5), st.integers(0, 10**8), st.sets(st.integers(0, 4))
)
def test_lines_are_brought_to_a_total_to_the_dollar(amounts: list[int], total: int, kept: set[int]) -> None:
    lines = [[str(at), amount, None, ""] for at, amount in enumerate(amounts)]
    if sum(amounts) == 0:
        lines[0][1] = 1
    found = whole_lines(lines, total, kept=frozenset(str(at) for at in kept))
    assert sum(line[1] for line in found) == total
    assert all(line[1] >= 0 for line in found)
    assert [line[0] for line in found] == [line[0] for line in lines]


def test_land_keeps_its_dollars_where_the_total_allows() -> None:
    lines = [["21", 100_000, 1.0, "acre"], ["22", 400_000, None, ""]]
    assert whole_lines(lines, 450_000, kept=frozenset({"21"})) == [
        ["21", 100_000, 1.0, "acre"],
        ["22", 350_000, None, ""],
    ]
    assert whole_lines(lines, 50_000, kept=frozenset({"21"}))[0][1] == 10_000
