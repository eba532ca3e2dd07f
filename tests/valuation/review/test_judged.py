"""A ratio study of a run says which value it judges, and judges the conclusion unless told otherwise."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import YEAR, Bureau
from valuation.reports.services import report_of
from valuation.review.errors import NothingToJudge
from valuation.review.evidence import unsold_of
from valuation.review.judged import TITLES, choose_judged, list_judged, study_of_run
from valuation.review.services import propose_override
from valuation.review.study_page import _sections
from valuation.runs.models import Conclusion, Estimate, Run

pytestmark = pytest.mark.django_db


def told(*options: str) -> str:
    out = io.StringIO()
    call_command("ratio_study", *options, stdout=out)
    return out.getvalue()


@pytest.fixture
def overridden(bureau: Bureau, run: Run) -> Run:
    """Return a run of which every tenth conclusion was raised by 9 % by a reviewer."""
    for conclusion in Conclusion.objects.filter(run=run).order_by("property__account_number")[70::10]:
        propose_override(
            conclusion.pk,
            actor=bureau.assessor,
            value=round(conclusion.value * 1.09),
            reason_code="condition",
            note="seen",
        )
    assert Conclusion.objects.filter(run=run, reviewer=bureau.assessor.person_id).count() > 10
    return run


def mean(run: Run, asked: str = "") -> float:
    value: float = study_of_run(run, asked, resamples=0)["study"]["mean"]["value"]
    return value


def test_the_conclusion_with_its_overrides_is_judged_unless_cost_is_asked_for(overridden: Run) -> None:
    assert study_of_run(overridden, resamples=0)["judged"] == "conclusion"
    assert mean(overridden) == mean(overridden, "conclusion") > mean(overridden, "cost")


def test_without_an_override_conclusion_and_cost_have_one_study(run: Run) -> None:
    assert mean(run) == mean(run, "cost")
    assert unsold_of(run) == unsold_of(run, of="cost")


def test_the_income_estimates_are_judged_where_there_are_some(run: Run) -> None:
    cost = list(Estimate.objects.filter(run=run, approach="cost").order_by("-property__account_number")[:40])
    Estimate.objects.bulk_create(
        Estimate(
            town=each.town, run=run, property_id=each.property_id, approach="income",
            value=each.value * 2, low=each.value, high=each.value * 3,
        )
        for each in cost
    )  # fmt: skip
    assert list_judged(run)[-1] == "income"
    found = study_of_run(run, "income", resamples=0)
    assert 5 <= found["sales"] <= 40
    assert found["study"]["median"]["value"] > 1.7


def test_a_run_without_conclusions_is_judged_by_cost(run: Run) -> None:
    Conclusion.objects.filter(run=run).delete()
    assert choose_judged(run) == "cost"
    with pytest.raises(NothingToJudge, match="no value by 'conclusion' to judge; it has cost"):
        choose_judged(run, "conclusion")


def test_an_unknown_value_and_one_the_run_does_not_have_are_refused_in_a_sentence(
    bureau: Bureau, run: Run, signed_in: SignedIn
) -> None:
    unknown = "A ratio study judges conclusion, cost, market or income, not 'guess'."
    missing = "This run has no value by 'income' to judge; it has "
    client = signed_in(bureau.cast.clerk_a.email)
    town = bureau.town.slug
    for asked, sentence in (("guess", unknown), ("income", missing)):
        answer = client.get(f"/api/v1/towns/{town}/valuation/runs/{run.pk}/study", {"judge": asked})
        assert (answer.status_code, answer.json()["code"]) == (422, "nothing-to-judge")
        assert answer.json()["detail"].startswith(sentence)
        page = client.get(f"/t/{town}/ratio-studies/{run.pk}/study", {"judge": asked})
        assert page.status_code == 422
        assert sentence.split("'")[0] in page.content.decode()
        with pytest.raises(CommandError) as caught:
            told("--town", town, "--year", str(YEAR), "--judge", asked)
        assert str(caught.value).startswith(sentence)


def test_the_api_states_what_it_judged(bureau: Bureau, overridden: Run, signed_in: SignedIn) -> None:
    client = signed_in(bureau.cast.clerk_a.email)
    path = f"/api/v1/towns/{bureau.town.slug}/valuation/runs/{overridden.pk}/study"
    plain, cost = client.get(path).json(), client.get(path, {"judge": "cost"}).json()
    assert (plain["judged"], plain["judged_title"]) == ("conclusion", TITLES["conclusion"])
    assert (cost["judged"], cost["sales"]) == ("cost", plain["sales"])
    assert plain["study"]["mean"]["value"] > cost["study"]["mean"]["value"]
    assert {rule["id"] for rule in cost["rules"]} >= {"overall_level"}


def test_page_and_paper_state_what_they_judged(bureau: Bureau, overridden: Run, signed_in: SignedIn) -> None:
    client = signed_in(bureau.cast.clerk_a.email)
    path = f"/t/{bureau.town.slug}/ratio-studies/{overridden.pk}/study"
    page = client.get(path)
    assert f"Judged: <strong>{TITLES['conclusion']}</strong>" in page.content.decode()
    other = client.get(path, {"judge": "cost"})
    assert "Judged: <strong>Cost approach</strong>" in other.content.decode()
    assert '<option value="cost" selected>' in other.content.decode()
    values: dict[str, Any] = {key: other.context[key] for key in _ON_PAPER}
    assert _sections(values)[0].paragraphs[0].startswith("Judged: Cost approach. ")
    paper = client.get(path, {"judge": "cost", "format": "pdf"})
    assert paper.content.startswith(b"%PDF")
    assert paper["Content-Disposition"].endswith('-cost.pdf"')


_ON_PAPER = ("n", "figures", "bands", "bars", "rules", "sales", "judged", "judged_title")


def test_the_command_states_what_it_judged(bureau: Bureau, overridden: Run) -> None:
    where = ("--town", bureau.town.slug, "--year", str(YEAR), "--resamples", "0")
    text = told(*where)
    assert text.startswith(f"judged: {TITLES['conclusion']}, list of {YEAR} of {bureau.town.name}, run ")
    found = json.loads(told(*where, "--judge", "cost", "--json", "--rules", "CT-62i-2001"))
    assert (found["judged"], found["run"]) == ("cost", str(overridden.pk))
    assert found["mean"]["value"] == mean(overridden, "cost")
    assert found["rules"]
    with pytest.raises(CommandError, match="no finished valuation run for the list of 1999"):
        told("--town", bureau.town.slug, "--year", "1999")
    with pytest.raises(CommandError, match="--town needs --year"):
        told("--town", bureau.town.slug)


def test_the_report_judges_the_conclusion_first_and_then_each_approach(overridden: Run) -> None:
    _, sections = report_of(overridden)
    section = next(each for each in sections if each.title == "Performance testing")
    assert TITLES["conclusion"].lower() in section.paragraphs[0]
    titles = [row[0] for row in section.grids[0].rows]
    assert titles[:2] == [TITLES["conclusion"], TITLES["cost"]]
    assert section.grids[0].rows[0][2:] != section.grids[0].rows[1][2:]
