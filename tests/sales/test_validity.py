import csv
import datetime as dt
import gzip

import pytest

from assessment.demo.files import stored
from assessment.sales.parameters import validity_rules
from assessment.sales.rules.validity import Validity, normalise_nonuse_code, suggest_validity

RULES = validity_rules(dt.date(2022, 6, 1))


def suggestion(raw: str = "", price: int = 250_000, *, names_several: bool = False) -> tuple[Validity, str]:
    code = normalise_nonuse_code(raw, RULES.codes)
    found = suggest_validity(nonuse_code=code, price=price, names_several=names_several, rules=RULES)
    return found.validity, found.reason


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", ""),
        ("  ", ""),
        ("7", "07"),
        ("07", "07"),
        ("7.0", "07"),
        ("07 - Change in Property", "07"),
        ("Change In Property", "07"),
        ("13 - Bankrupcy", "13"),
        ("Bankrupcy", "13"),
        ("27 - CRUMBLING FOUNDATION ASSESSMENT REDUCTION", "27"),
        ("see remarks", None),
        ("99", None),
        ("31 - Something new", None),
    ],
)
def test_a_nonuse_code_is_read_however_it_is_written(raw: str, code: str | None) -> None:
    assert normalise_nonuse_code(raw, RULES.codes) == code


def test_a_sale_without_code_is_usable() -> None:
    assert suggestion() == (Validity.USABLE, "no-nonuse-code")


@pytest.mark.parametrize("raw", ["07", "27"])
def test_a_code_about_the_assessment_leaves_the_price_but_not_the_ratio(raw: str) -> None:
    assert suggestion(raw) == (Validity.PRICE_ONLY, f"nonuse-{raw}")


@pytest.mark.parametrize("raw", ["01", "14", "25", "29"])
def test_any_other_code_makes_the_sale_unusable(raw: str) -> None:
    assert suggestion(raw) == (Validity.NOT_USABLE, f"nonuse-{raw}")


def test_a_text_that_is_no_code_is_not_taken_for_a_usable_sale() -> None:
    assert suggestion("see remarks") == (Validity.NOT_USABLE, "nonuse-unreadable")


def test_a_price_below_the_minimum_is_no_sale_and_the_minimum_itself_is_one() -> None:
    assert suggestion(price=1_999) == (Validity.NOT_USABLE, "price-below-minimum")
    assert suggestion(price=2_000) == (Validity.USABLE, "no-nonuse-code")


def test_a_price_for_several_properties_is_no_evidence_for_one() -> None:
    assert suggestion(names_several=True) == (Validity.NOT_USABLE, "several-properties")


def test_every_code_in_the_state_s_file_is_read() -> None:
    with gzip.open(stored("opm_real_estate_sales.csv"), "rt", encoding="utf-8", newline="") as file:
        raws = {row["Non Use Code"] for row in csv.DictReader(file)}
    assert [raw for raw in raws if normalise_nonuse_code(raw, RULES.codes) is None] == []


def test_a_transfer_older_than_the_parameters_is_judged_by_the_oldest() -> None:
    assert validity_rules(dt.date(1999, 1, 1)) == validity_rules(dt.date(2001, 10, 1))
