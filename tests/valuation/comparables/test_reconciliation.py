"""The grid says which value it supports and leads to the value of record: on the page, on paper, over HTTP."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace

import pytest

from assessment.property.models import Property
from tests.valuation.comparables.test_pages import _plain_static_files
from tests.valuation.conftest import SignedIn
from tests.valuation.income.test_services import rates, returned, shops
from tests.valuation.runs.conftest import Bureau, bureau
from valuation.comparables.paper import grid_pdf
from valuation.comparables.selectors import get_grid
from valuation.comparables.sheet import Grid
from valuation.review.services import propose_override
from valuation.runs.models import Conclusion, Run
from valuation.runs.rules.reconciling import CHANGED, NOT_WEIGHED, UNEXPLAINED, Change, reconcile

__all__ = ["_plain_static_files", "bureau"]
pytestmark = pytest.mark.django_db


def texts_of(pdf: bytes) -> str:
    """Return the drawing commands of a PDF's pages, in which its texts stand in brackets."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    return "".join(
        zlib.decompress(base64.a85decode(b"<~" + each.strip(), adobe=True)).decode("latin-1")
        for each in streams
    )


@pytest.fixture
def shop(bureau: Bureau) -> tuple[Bureau, Run, Property]:
    """A shop whose value is 40 % cost and 60 % income."""
    houses = shops(bureau)
    rates(bureau, weights={"commercial": 60})
    for house, rent in zip(houses, (60_000, 80_000, 100_000), strict=False):
        returned(bureau, house, rent)
    return bureau, bureau.run(), houses[0]


def test_page_paper_and_api_lead_from_the_cost_approach_to_the_value_of_record(
    shop: tuple[Bureau, Run, Property], signed_in: SignedIn
) -> None:
    bureau, run, subject = shop
    value = Conclusion.objects.get(run=run, property=subject).value
    grid = get_grid(bureau.town.code, subject.pk)
    assert grid.reconciliation is not None
    assert sum(line.dollars for line in grid.reconciliation.lines) == value != grid.value
    assert grid.reconciliation.lines[0].estimate == grid.value
    client = signed_in(bureau.cast.assessor_a.email)
    place = f"/t/{bureau.town.slug}/properties/{subject.pk}"
    page = client.get(f"{place}/comparables/").content.decode()
    assert "support the value by the cost approach" in page
    table = page[page.index("From the approaches") :]
    told = [
        int(text.replace("\N{MINUS SIGN}", "-").replace("$", "").replace(",", ""))
        for text in re.findall(r'class="num">([\N{MINUS SIGN}$\d,]+)</td></tr>', table)
    ][: len(grid.reconciliation.lines)]
    assert sum(told) == value
    assert f"<strong>${value:,}</strong>" in table
    paper = texts_of(client.get(f"{place}/comparables.pdf").content)
    assert "Value of record" in paper
    assert f"(${value:,})" in paper
    api = client.get(f"/api/v1/towns/{bureau.town.slug}/valuation/comparables/{subject.pk}")
    found = json.loads(api.content)
    assert (found["supports"], found["supported_value"], found["value_of_record"]) == (
        "cost",
        grid.value,
        value,
    )
    assert sum(line["dollars"] for line in found["reconciliation"]) == value
    for sale in found["sales"]:
        assert sum(sale["adjustments"].values()) == sale["net"] == sale["adjusted"] - sale["price"]
    card = client.get(f"{place}/").content.decode()
    assert "From the approaches to the value of record" in card


def test_an_override_stands_on_a_line_of_its_own_with_its_reason(shop: tuple[Bureau, Run, Property]) -> None:
    bureau, run, subject = shop
    for times in (1.03, 1.02):
        conclusion = Conclusion.objects.get(run=run, property=subject)
        propose_override(
            conclusion.pk, actor=bureau.assessor, value=int(conclusion.value * times), reason_code="condition",
            note="The roof is new.",
        )  # fmt: skip
    value = Conclusion.objects.get(run=run, property=subject).value
    told = get_grid(bureau.town.code, subject.pk).reconciliation
    assert told is not None
    assert sum(line.dollars for line in told.lines) == told.value == value
    assert [line.weight_percent for line in told.lines][:2] == [40.0, 60.0]
    overrides = [line for line in told.lines if line.words.startswith("Override by")]
    assert len(overrides) == 2
    assert all("The roof is new." in line.words and line.dollars > 0 for line in overrides)
    assert not {line.words for line in told.lines} & {CHANGED, NOT_WEIGHED, UNEXPLAINED}


def test_a_house_valued_by_cost_alone_says_that_this_is_the_value_of_record(
    shop: tuple[Bureau, Run, Property],
) -> None:
    bureau, _, _ = shop
    grid = get_grid(bureau.town.code, bureau.houses[40].pk)
    assert grid.reconciliation is not None
    assert [line.dollars for line in grid.reconciliation.lines] == [grid.value]
    assert "It is the value of record. This run is not posted" in grid.supports
    assert replace(grid, is_posted=True).supports.endswith("It is the value of record.")


def test_lines_that_do_not_fit_on_the_sheet_go_to_another_one() -> None:
    notes = " ".join(["The roof is new and the cellar dry."] * 25)
    changes = [Change(f"Override {at}: {notes}", 400_000 + at, 400_001 + at) for at in range(12)]
    told = reconcile({"cost": 400_000}, {"cost": 1.0}, value=400_012, changes=changes)
    grid = Grid(
        address="1 ELM STREET", value=400_000, indicated=0, facts={}, sales=[], year=2025, made_by="a run",
        reconciliation=told,
    )  # fmt: skip
    paper = grid_pdf(grid, town="Testville")
    assert paper == grid_pdf(grid, town="Testville")
    texts = texts_of(paper)
    assert all(f"(Override {at}:" in texts for at in range(12))
    heights = [float(y) for y in re.findall(r"1 0 0 1 [\d.]+ ([-\d.]+) Tm", texts)]
    assert heights
    assert min(heights) >= 24
    assert paper.count(b"/Type /Page\n") > 1


def test_a_grid_without_a_cost_share_says_that_the_value_is_not_made_from_it() -> None:
    told = reconcile({"cost": 400_000, "income": 300_000}, {"income": 1.0}, value=300_000)
    grid = Grid(
        address="", value=400_000, indicated=0, facts={}, sales=[], year=2025, made_by="", reconciliation=told
    )
    assert "$300,000, is not made from it" in grid.supports
