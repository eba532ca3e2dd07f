"""The ratio-study pages and the panel of the card, behind the walls."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assessment.jobs.models import Job
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import YEAR, make_town
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


def test_the_pages_show_the_studies_of_all_ways_of_valuing(cast: Cast, run: Run, signed_in: SignedIn) -> None:
    client = signed_in(cast.assessor_a.email)
    listed = client.get(f"/t/{cast.town_a.slug}/ratio-studies/")
    assert listed.status_code == 200
    page = client.get(f"/t/{cast.town_a.slug}/ratio-studies/{run.pk}/")
    assert page.status_code == 200
    for answer in (listed, page):
        text = answer.content.decode()
        for words in (
            "Cost approach",
            "Market model",
            "one value for all",
            "per square foot",
        ):
            assert words in text
    assert "Tuohy" in page.content.decode()


def test_the_card_explains_the_value_to_the_dollar(cast: Cast, run: Run, signed_in: SignedIn) -> None:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        conclusion = Conclusion.objects.filter(run=run).order_by("value").last()
    assert conclusion is not None
    client = signed_in(cast.assessor_a.email)
    text = client.get(f"/t/{cast.town_a.slug}/properties/{conclusion.property_id}/").content.decode()
    assert "How the value was made" in text
    table = text.split('aria-label="How the value was made"')[1].split("</table>")[0]
    *parts, total = [
        int(cell.replace(",", "")) for cell in re.findall(r'class="num">(?:<strong>)?\$([\d,]+)', table)
    ]
    assert sum(parts) == total == conclusion.value


def test_another_town_s_run_answers_like_none(cast: Cast, run: Run, signed_in: SignedIn) -> None:
    client = signed_in(cast.assessor_b.email)
    theirs = client.get(f"/t/{cast.town_a.slug}/ratio-studies/{run.pk}/")
    crossed = client.get(f"/t/{cast.town_b.slug}/ratio-studies/{run.pk}/")
    missing = client.get(f"/t/{cast.town_b.slug}/ratio-studies/{uuid4()}/")
    assert theirs.status_code == crossed.status_code == missing.status_code == 404
    assert (
        str(run.list_year)
        not in client.get(f"/t/{cast.town_b.slug}/ratio-studies/")
        .content.decode()
        .split("<h2>Runs")[1]
        .split("<form")[0]
    )


def test_who_may_run_valuations_starts_a_job_and_others_are_refused(cast: Cast, signed_in: SignedIn) -> None:
    address = f"/t/{cast.town_a.slug}/ratio-studies/start"
    assert signed_in(cast.clerk_a.email).post(address, {"year": "2025"}).status_code == 403
    client = signed_in(cast.assessor_a.email)
    assert client.post(address, {"year": "20x5"}).status_code == 302
    assert client.post(address, {"year": "2025"}).status_code == 302
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert [(job.kind, job.payload) for job in Job.objects.all()] == [("valuation_run", {"year": 2025})]


def test_the_page_of_runs_takes_as_many_queries_for_five_runs_as_for_one(
    cast: Cast, run: Run, signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    address = f"/t/{cast.town_a.slug}/ratio-studies/"
    client.get(address)
    with CaptureQueriesContext(connection) as one:
        client.get(address)
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        for _ in range(4):
            Run.objects.create(
                town=cast.town_a, spec=run.spec, list_year=2024, state="failed", code_version="x",
                started_at=run.started_at, started_by_name="x",
            )  # fmt: skip
    with CaptureQueriesContext(connection) as five:
        client.get(address)
    assert len(five) == len(one)
