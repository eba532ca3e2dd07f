"""``manage.py value``."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.runs.conftest import HOUSES, YEAR, make_town
from valuation.runs.models import Run
from valuation.specs.models import SpecAdoption

pytestmark = pytest.mark.django_db


def value(*options: str) -> str:
    out = io.StringIO()
    call_command("value", *options, stdout=out)
    return out.getvalue()


def test_the_command_values_a_town_and_prints_its_studies(cast: Cast) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        make_town(cast.town_a)
    found = json.loads(value("--town", cast.town_a.slug, "--year", str(YEAR), "--json"))
    assert found["counts"]["properties"] == HOUSES
    assert {row["subject"] for row in found["ratio_studies"]} >= {
        "cost",
        "market",
        "fixed_value",
        "value_per_area",
    }
    assert found["beats_baselines_beyond_intervals"]["cost"] in (True, False)
    text = value("--town", "62", "--year", str(YEAR), "--adopt")
    assert f"{HOUSES} properties valued" in text
    assert "COD interval" in text
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert Run.objects.count() == 2
        assert SpecAdoption.objects.get().list_year == YEAR


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--town", "nowhere", "--year", "2025"), "no town 'nowhere'"),
        (("--town", "62", "--year", "2025"), "has no real property"),
        (("--town", "62", "--year", "2025", "--spec", "nothing"), "no model 'nothing'"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_kept(
    cast: Cast, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(CommandError, match=message) as caught:
        value(*options)
    assert "\n" not in str(caught.value)
    with scope(SYSTEM, towns=[62]):
        assert not Run.objects.exists()
