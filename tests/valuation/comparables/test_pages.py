"""The grid on screen, on paper and on the card, to the dollar and behind the walls."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from assessment.property.models import Property
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import HOUSES, YEAR, make_town
from valuation.comparables.models import ComparableSet
from valuation.comparables.paper import grid_pdf
from valuation.comparables.selectors import get_grid
from valuation.runs.models import Conclusion, Run
from valuation.runs.services import run_valuation
from valuation.specs.services import get_spec

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain_static_files(settings, tmp_path) -> None:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def run(cast: Cast) -> Run:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        make_town(cast.town_a)
        return run_valuation(
            cast.town_a, year=YEAR, spec=get_spec("ct-residential", actor=SYSTEM), actor=SYSTEM
        )


def test_a_run_keeps_five_comparables_for_each_house_and_their_adjustments_sum(cast: Cast, run: Run) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        sets = {each.property_id: each for each in ComparableSet.objects.filter(run=run)}
        values = dict(Conclusion.objects.filter(run=run).values_list("property_id", "value"))
        assert len(sets) == HOUSES
        assert sum(len(each.sales) == 5 for each in sets.values()) == HOUSES - 1
        for key, each in sets.items():
            assert each.value == values[key]
            for _sold, _transfer, _price, _day, then, _far, _weight, adjustments in each.sales:
                assert sum(adjustments) == each.value - then
            assert sum(row[6] for row in each.sales) in (0, 100)
            indicated = sum(row[6] * (row[2] + sum(row[7])) for row in each.sales) / 100
            assert each.indicated == int(indicated + 0.5)


def test_the_page_shows_columns_that_sum_from_price_to_adjusted_price(
    cast: Cast, run: Run, signed_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        house = Property.objects.order_by("pk")[40]
        grid = get_grid(cast.town_a.code, house.pk)
    client = signed_in(cast.assessor_a.email)
    page = client.get(f"/t/{cast.town_a.slug}/properties/{house.pk}/comparables/")
    assert page.status_code == 200
    text = page.content.decode()
    rows = {
        re.sub("<.*?>", "", row[0]): [
            int(cell.replace("\N{MINUS SIGN}", "-").replace("$", "").replace(",", ""))
            for cell in re.findall(r'class="num">([\N{MINUS SIGN}$\d,]+)</td>', row[1])
        ]
        for row in re.findall(r'<th scope="row">(.*?)</th>(.*?)</tr>', text, re.DOTALL)
    }
    steps = [rows[label] for label, _ in grid.adjustment_rows()]
    assert [sum(column) for column in zip(*steps, strict=True)] == rows["Net adjustment"]
    adjusted = [price + net for price, net in zip(rows["Price"], rows["Net adjustment"], strict=True)]
    assert adjusted == rows["Adjusted price"]
    card = client.get(f"/t/{cast.town_a.slug}/properties/{house.pk}/").content.decode()
    assert "The whole grid of comparable sales" in card


def test_the_paper_is_a_pdf_and_the_same_grid_gives_the_same_bytes(
    cast: Cast, run: Run, signed_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        house = Property.objects.order_by("pk")[41]
        grid = get_grid(cast.town_a.code, house.pk)
    client = signed_in(cast.assessor_a.email)
    paper = client.get(f"/t/{cast.town_a.slug}/properties/{house.pk}/comparables.pdf")
    assert paper["Content-Type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    assert paper.content == grid_pdf(grid, town=cast.town_a.name)


def test_another_town_and_a_property_that_was_never_valued_answer_like_none(
    cast: Cast, run: Run, signed_in: SignedIn
) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        key = ComparableSet.objects.filter(run=run).values_list("property_id", flat=True)[0]
    client = signed_in(cast.assessor_b.email)
    for address in (
        f"/t/{cast.town_a.slug}/properties/{key}/comparables/",
        f"/t/{cast.town_b.slug}/properties/{key}/comparables/",
        f"/t/{cast.town_b.slug}/properties/{key}/comparables.pdf",
        f"/t/{cast.town_b.slug}/properties/{uuid4()}/comparables/",
    ):
        assert client.get(address).status_code == 404


def test_what_a_run_chose_cannot_be_altered(cast: Cast, run: Run) -> None:
    with (
        scope(cast.actor(cast.assessor_a), towns=[cast.town_a.code]),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE valuation_comparableset SET value = 1")
