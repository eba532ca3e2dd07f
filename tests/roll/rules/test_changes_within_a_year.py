from datetime import date
from fractions import Fraction

import pytest

from assessment.roll.rules.phase_in import phased_assessment
from assessment.roll.rules.proration import assessment_year_of, prorated_change, share_of_year

# SOURCE: worked examples computed from CGS 12-62c (equal annual increments; factor of at least 25 percent).


def test_a_full_phase_in_over_five_years_rises_by_equal_steps():
    values = [phased_assessment(140_000, 210_000, year=year, years=5) for year in range(1, 6)]
    assert values == [154_000, 168_000, 182_000, 196_000, 210_000]


def test_a_quarter_at_once_and_the_rest_over_five_years():
    quarter = Fraction(1, 4)
    values = [phased_assessment(140_000, 210_000, year=y, years=5, at_once=quarter) for y in range(1, 6)]
    assert values == [168_000, 178_500, 189_000, 199_500, 210_000]


def test_a_decrease_takes_effect_at_once():
    assert phased_assessment(210_000, 140_000, year=1, years=5) == 140_000


@pytest.mark.parametrize("share", [Fraction(1, 10), Fraction(-1, 4), Fraction(5, 4)])
def test_a_share_between_nothing_and_a_quarter_is_refused(share):
    with pytest.raises(ValueError, match="25 percent"):
        phased_assessment(1, 2, year=1, years=5, at_once=share)


def test_a_year_outside_the_term_is_refused():
    with pytest.raises(ValueError, match="outside"):
        phased_assessment(1, 2, year=6, years=5)


def test_new_construction_from_1_march_bears_214_of_365_days():
    # SOURCE: computed from CGS 12-53a: increment 100,000, certificate of occupancy 1 March, 214 days.
    assert prorated_change(0, 100_000, date(2026, 3, 1)) == 58_630


def test_a_demolition_takes_off_what_the_same_building_would_add():
    assert prorated_change(100_000, 0, date(2026, 3, 1)) == -58_630


def test_the_whole_year_is_never_more_than_the_whole_change():
    assert share_of_year(date(2027, 10, 1)) == 1
    assert share_of_year(date(2027, 10, 1), basis="days_actual") == 1


def test_by_months_the_month_of_completion_counts():
    assert share_of_year(date(2026, 3, 31), basis="months") == Fraction(7, 12)


def test_the_assessment_year_begins_on_1_october():
    assert assessment_year_of(date(2026, 9, 30)) == 2025
    assert assessment_year_of(date(2026, 10, 1)) == 2026
