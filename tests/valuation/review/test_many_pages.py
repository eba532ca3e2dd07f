"""The pages on many values: preview, asking, the second person, taking back, and an earlier run's overrides."""

from __future__ import annotations

import re

import pytest

from assessment.jobs.models import Job
from assessment.region.scope import scope
from tests.cast import SYSTEM, Cast
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import YEAR, make_town
from valuation import long_work
from valuation.review.models import Override
from valuation.review.services import propose_override
from valuation.runs.models import Conclusion, Run
from valuation.runs.services import run_valuation
from valuation.specs.services import get_spec

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(cast: Cast) -> list[Run]:
    with scope(SYSTEM, towns=[cast.town_a.code], reason="a test"):
        make_town(cast.town_a)
        spec = get_spec("ct-residential", actor=SYSTEM)
        return [run_valuation(cast.town_a, year=YEAR, spec=spec, actor=SYSTEM) for _ in range(2)]


def page(cast: Cast, run: Run, name: str) -> str:
    return f"/t/{cast.town_a.slug}/ratio-studies/{run.pk}/{name}"


def hidden(text: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text.split("Ask for it")[1]))


def total(cast: Cast, run: Run) -> int:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        return sum(Conclusion.objects.filter(run=run).values_list("value", flat=True))


def test_a_factor_is_seen_asked_for_agreed_to_and_taken_back(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    assessor, deputy = signed_in(cast.assessor_a.email), signed_in(cast.deputy_a.email)
    before = total(cast, runs[0])
    address = page(cast, runs[0], "factor")
    seen = assessor.get(address, {"neighbourhood": "N1", "factor": "1.05"}).content.decode()
    assert "Ratio study before and after" in seen
    assert "the changed properties" in seen
    asked = assessor.post(address, {**hidden(seen), "reason_code": "neighbourhood", "note": "study of May"})
    assert "/override-batches/" in asked.url
    assert total(cast, runs[0]) == before
    own = assessor.get(asked.url).content.decode()
    assert 'value="confirm"' not in own
    assert 'value="withdraw"' in own
    assert 'value="confirm"' in deputy.get(asked.url).content.decode()
    assert "are in force" in deputy.post(asked.url, {"action": "confirm"}, follow=True).content.decode()
    assert total(cast, runs[0]) > before
    back = assessor.post(asked.url, {"action": "withdraw", "note": "too early"}, follow=True)
    assert "are taken back" in back.content.decode()
    assert total(cast, runs[0]) == before
    assert "study of May" in assessor.get(address).content.decode()


def test_a_preview_that_grew_old_is_told_and_what_was_chosen_stays(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    client = signed_in(cast.assessor_a.email)
    given = {"neighbourhood": "N1", "factor": "1.05", "reason_code": "neighbourhood", "note": "x"}
    answer = client.post(page(cast, runs[0], "factor"), {**given, "seen": "5"})
    assert answer.url.endswith("?neighbourhood=N1&factor=1.05")
    assert "changed since the preview" in client.get(answer.url).content.decode()


@pytest.mark.parametrize("factor", ["", "1,05", "9"])
def test_a_factor_that_is_none_is_refused_in_words(
    cast: Cast, runs: list[Run], factor: str, signed_in: SignedIn
) -> None:
    answer = signed_in(cast.assessor_a.email).post(
        page(cast, runs[0], "factor"),
        {"neighbourhood": "N1", "factor": factor, "reason_code": "neighbourhood", "note": "x"},
        follow=True,
    )
    assert "factor" in answer.content.decode().split("usa-alert__text")[1][:200].lower()


def test_many_values_are_a_job(
    cast: Cast, runs: list[Run], monkeypatch: pytest.MonkeyPatch, signed_in: SignedIn
) -> None:
    monkeypatch.setattr(long_work, "IN_REQUEST", 10)
    given = {"neighbourhood": "N1", "factor": "1.05", "reason_code": "neighbourhood", "note": "x"}
    client = signed_in(cast.assessor_a.email)
    answer = client.post(page(cast, runs[0], "factor"), given)
    assert "/jobs/" in answer.url
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert Job.objects.get().payload["area"]["neighbourhood"] == "N1"
        assert not Override.objects.exists()


def test_who_may_only_view_sees_the_preview_and_cannot_ask(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    clerk = signed_in(cast.clerk_a.email)
    address = page(cast, runs[0], "factor")
    assert "Ask for it" not in clerk.get(address, {"neighbourhood": "N1", "factor": "1.1"}).content.decode()
    for name in ("factor", "overrides", "carry"):
        assert clerk.post(page(cast, runs[0], name), {"factor": "1.1"}).status_code == 403


def override(cast: Cast, run: Run, number: int, factor: float) -> Override:
    with scope(SYSTEM, towns=[cast.town_a.code]):
        found = Conclusion.objects.filter(run=run).order_by("property__address")[number]
        return propose_override(
            found.id,
            actor=cast.actor(cast.assessor_a),
            value=int(found.value * factor),
            reason_code="condition",
            note=f"note {number}",
        )


def test_overrides_of_an_earlier_run_are_listed_and_the_ticked_ones_taken_along(
    cast: Cast, runs: list[Run], signed_in: SignedIn
) -> None:
    first, _ = override(cast, runs[0], 10, 1.04), override(cast, runs[0], 11, 1.04)
    client = signed_in(cast.assessor_a.email)
    address = page(cast, runs[1], "carry")
    shown = client.get(address).content.decode()
    assert "note 10" in shown
    assert "note 11" in shown
    source = {"source": str(runs[0].pk)}
    assert "Tick the overrides" in client.post(address, source, follow=True).content.decode()
    ticked = {**source, "which": "ticked", "override": [str(first.pk)]}
    assert "1 overrides were taken along" in client.post(address, ticked, follow=True).content.decode()
    rest = client.post(address, {**source, "which": "all"}, follow=True).content.decode()
    assert "1 overrides were taken along" in rest
    with scope(SYSTEM, towns=[cast.town_a.code]):
        assert Override.objects.filter(run=runs[1], state="in_force").count() == 2


def test_a_second_person_decides_the_ticked_ones(cast: Cast, runs: list[Run], signed_in: SignedIn) -> None:
    asked = [override(cast, runs[0], number, 1.5) for number in (10, 11, 12)]
    address = page(cast, runs[0], "overrides")
    assert 'name="override"' not in signed_in(cast.assessor_a.email).get(address).content.decode()
    deputy = signed_in(cast.deputy_a.email)
    assert deputy.get(address).content.decode().count('name="override"') == 3
    ticked = {"override": [str(each.pk) for each in asked[:2]], "action": "confirm"}
    assert "2 overrides are in force" in deputy.post(address, ticked, follow=True).content.decode()
    last = {"override": [str(asked[2].pk)], "action": "refuse"}
    assert "Say why it is refused" in deputy.post(address, last, follow=True).content.decode()
    assert (
        "1 overrides are refused"
        in deputy.post(address, {**last, "note": "no permit"}, follow=True).content.decode()
    )
