"""The reviewer's pages: queue, one value, the second person, closing, and two runs side by side."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import YEAR, make_town
from valuation.review.models import Override
from valuation.runs.models import Conclusion, Run
from valuation.runs.services import run_valuation
from valuation.specs.services import get_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(cast: Cast) -> list[Run]:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        make_town(cast.town_a)
        spec = get_spec("ct-residential", actor=SYSTEM)
        return [run_valuation(cast.town_a, year=YEAR, spec=spec, actor=SYSTEM, seed=n) for n in (0, 1)]


def address(cast: Cast, run: Run, page: str) -> str:
    return f"/t/{cast.town_a.slug}/ratio-studies/{run.pk}/{page}"


def first_conclusion(cast: Cast, run: Run) -> Conclusion:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        found = Conclusion.objects.filter(run=run).order_by("value").last()
    assert found is not None
    return found


def test_the_queue_narrows_by_flag_and_state_and_marks_what_stands(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    page = client.get(address(cast, runs[0], "review/"), {"flag": "several_buildings"})
    assert page.status_code == 200
    found = re.findall(r'name="conclusion" value="([0-9a-f-]+)"', page.content.decode())
    assert len(found) == 1
    marked = client.post(
        address(cast, runs[0], "review/mark"), {"conclusion": found, "back": "flag=several_buildings"}
    )
    assert marked.url.endswith("?flag=several_buildings")
    assert "1 of 260 values reviewed" in client.get(marked.url).content.decode()
    assert not re.findall(
        r'name="conclusion" value="[0-9a-f-]+"',
        client.get(
            address(cast, runs[0], "review/"), {"flag": "several_buildings", "state": "open"}
        ).content.decode(),
    )


def test_a_large_override_goes_through_two_persons_on_the_pages(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    found = first_conclusion(cast, runs[0])
    page = f"/t/{cast.town_a.slug}/conclusions/{found.pk}/"
    assessor, deputy = signed_in(cast.assessor_a.email), signed_in(cast.deputy_a.email)
    value = found.value * 2
    assessor.post(
        page + "decide",
        {"action": "override", "value": f"${value:,}", "reason_code": "unique", "note": "no like house"},
    )
    own = assessor.get(page).content.decode()
    assert "waits for a second person" in own
    assert 'value="confirm"' not in own
    assert 'value="confirm"' in deputy.get(page).content.decode()
    with scope(SYSTEM, towns=[cast.town_a.code]):
        override = Override.objects.get()
    decide = f"/t/{cast.town_a.slug}/overrides/{override.pk}/decide"
    assert (
        "Another person has to agree"
        not in deputy.post(decide, {"action": "confirm"}, follow=True).content.decode()
    )
    assert f"${value:,}" in deputy.get(page).content.decode()


@pytest.mark.parametrize("value", ["", "12.5", "-3", "many"])
def test_an_amount_that_is_none_is_refused_in_words(
    cast: Cast, runs: list[Run], value: str, signed_in: SignedIn
) -> None:
    found = first_conclusion(cast, runs[0])
    page = f"/t/{cast.town_a.slug}/conclusions/{found.pk}/"
    answer = signed_in(cast.assessor_a.email).post(
        page + "decide",
        {"action": "override", "value": value, "reason_code": "unique", "note": "x"},
        follow=True,
    )
    assert "whole dollars" in answer.content.decode()
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert not Override.objects.exists()


def test_who_may_not_override_sees_no_form_and_is_refused(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    found = first_conclusion(cast, runs[0])
    page = f"/t/{cast.town_a.slug}/conclusions/{found.pk}/"
    clerk = signed_in(cast.clerk_a.email)
    assert "Override" not in clerk.get(page).content.decode()
    assert clerk.post(page + "decide", {"action": "stands"}).status_code == 403


def test_the_closing_shows_each_check_and_only_the_assessor_closes(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    page = address(cast, runs[1], "closing")
    shown = signed_in(cast.deputy_a.email).get(page).content.decode()
    assert "The assessor adopted this version" in shown
    assert "accept-adopted" not in shown
    refused = signed_in(cast.assessor_a.email).post(page, {}, follow=True).content.decode()
    assert "not adopted for this list" in refused


def test_two_runs_are_compared_in_figures_on_a_map_and_as_a_file(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    page = client.get(address(cast, runs[1], "compare"))
    assert page.status_code == 200
    assert "<rect class=" in page.content.decode()
    csv = client.get(address(cast, runs[1], "compare"), {"format": "csv", "with": str(runs[0].pk)})
    lines = csv.content.decode().splitlines()
    assert len(lines) == 261
    assert lines[0].startswith("property_id,account_number,address")


def test_the_ratio_study_of_the_conclusions_has_figures_rules_chart_and_sales(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    text = signed_in(cast.assessor_a.email).get(address(cast, runs[0], "study")).content.decode()
    assert text.count("<rect ") == 20
    assert "Overall median ratio within 10 % of the level" in text
    assert "not verified" in text
    assert text.count("ELM ST</a>") > 20
    paper = signed_in(cast.assessor_a.email).get(address(cast, runs[0], "study"), {"format": "pdf"})
    assert paper.content.startswith(b"%PDF")


def test_the_queue_takes_as_many_queries_for_a_page_of_fifty_as_for_one_row(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    client.get(address(cast, runs[0], "review/"))
    with CaptureQueriesContext(connection) as many:
        client.get(address(cast, runs[0], "review/"))
    with CaptureQueriesContext(connection) as one:
        client.get(address(cast, runs[0], "review/"), {"flag": "several_buildings"})
    assert len(many) == len(one)
