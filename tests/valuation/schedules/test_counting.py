"""The effect of a change of tables: in the request of a small town, a job's in any other, and always told of what."""

from __future__ import annotations

import pytest

from assessment.jobs import runs as workers
from assessment.jobs.models import Job
from assessment.property.models import Building
from assessment.region.errors import Forbidden
from assessment.region.scope import scope
from tests.cast import SYSTEM
from tests.valuation.conftest import SignedIn
from tests.valuation.runs.conftest import HOUSES, Bureau
from tests.valuation.schedules.test_services import higher
from valuation import long_work
from valuation.schedules.counting import ask_for_effect, count_effect, find_effect_job
from valuation.schedules.errors import ChangeDecided, EffectMissing
from valuation.schedules.models import TableChange
from valuation.schedules.selectors import get_change, list_changes
from valuation.schedules.services import decide_tables, propose_tables

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the town one with too many properties for a request."""
    monkeypatch.setattr(long_work, "IN_REQUEST", HOUSES - 1)


def proposed(bureau: Bureau) -> TableChange:
    run = bureau.run()
    return propose_tables(run, actor=bureau.assessor, reason="ranches sell higher", rows=higher(run))


def worked(job: Job) -> Job:
    """Do the job as a worker does."""
    workers.run(job.pk, job.town_id)
    with scope(SYSTEM, towns=[job.town_id]):
        job.refresh_from_db()
    return job


def test_a_town_of_as_many_properties_as_a_request_may_hold_needs_no_job(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(long_work, "IN_REQUEST", HOUSES)
    change = proposed(bureau)
    assert change.effect == {}
    assert ask_for_effect(change, actor=bureau.assessor) is None
    assert get_change(bureau.town.code, change.pk).effect["properties"] == HOUSES
    assert not Job.objects.exists()


@pytest.mark.usefixtures("large")
def test_a_change_in_a_larger_town_is_refused_until_its_job_has_counted(bureau: Bureau) -> None:
    change = proposed(bureau)
    job = ask_for_effect(change, actor=bureau.assessor)
    assert job is not None
    assert get_change(bureau.town.code, change.pk).effect == {}
    with pytest.raises(EffectMissing):
        decide_tables(change, actor=bureau.assessor, accept=True)
    assert worked(job).state == "succeeded"
    assert job.done == job.total > 0
    counted = get_change(bureau.town.code, change.pk)
    assert counted.effect["properties"] == HOUSES == job.result["properties"]
    assert counted.effect["changed"] == job.result["properties_that_change"] > 0
    decided = decide_tables(counted, actor=bureau.assessor, accept=True)
    assert decided.spec is not None
    assert decided.spec.evidence["effect"]["of"]["run"] == str(change.run_id)


@pytest.mark.usefixtures("large")
def test_the_job_counts_what_the_request_would_have_counted(bureau: Bureau) -> None:
    change = proposed(bureau)
    job = ask_for_effect(change, actor=bureau.assessor)
    assert job is not None
    worked(job)
    by_job = get_change(bureau.town.code, change.pk).effect
    at_once = count_effect(change, actor=bureau.assessor).effect
    for effect in (by_job, at_once):
        effect["of"].pop("counted_at")
    assert by_job == at_once


@pytest.mark.usefixtures("large")
def test_asked_twice_the_effect_is_one_job(bureau: Bureau) -> None:
    change = proposed(bureau)
    jobs = [ask_for_effect(change, actor=bureau.assessor) for _ in range(2)]
    assert jobs[0] == jobs[1]
    assert Job.objects.count() == 1


@pytest.mark.usefixtures("large")
def test_a_job_that_failed_is_tried_again_and_by_another_person_as_their_own(bureau: Bureau) -> None:
    change, cast = proposed(bureau), bureau.cast
    first = ask_for_effect(change, actor=bureau.assessor)
    assert first is not None
    Job.objects.filter(pk=first.pk).update(state="failed", error={"detail": "The disk was full."})
    again = ask_for_effect(change, actor=bureau.assessor)
    assert again == first
    assert again.state == "queued"
    Job.objects.filter(pk=first.pk).update(state="failed")
    other = ask_for_effect(change, actor=SYSTEM)
    assert other is not None
    assert other != first
    assert worked(other).state == "succeeded"
    with pytest.raises(Forbidden):
        ask_for_effect(change, actor=cast.actor(cast.deputy_a))


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("accept", [True, False])
def test_what_was_decided_is_not_counted_any_more(bureau: Bureau, accept: bool) -> None:
    change = proposed(bureau)
    kept = count_effect(change, actor=bureau.assessor).effect if accept else {}
    job = ask_for_effect(change, actor=bureau.assessor)
    assert job is not None
    stale = get_change(bureau.town.code, change.pk)
    decide_tables(change, actor=bureau.assessor, accept=accept)
    assert worked(job).state == "cancelled"
    with pytest.raises(ChangeDecided):
        ask_for_effect(get_change(bureau.town.code, change.pk), actor=bureau.assessor)
    # A worker that had read the change before it was decided.
    with pytest.raises(ChangeDecided):
        count_effect(stale, actor=bureau.assessor)
    assert get_change(bureau.town.code, change.pk).effect == kept


def test_counted_again_it_is_the_effect_on_the_record_of_today(bureau: Bureau) -> None:
    change = proposed(bureau)
    before = count_effect(change, actor=bureau.assessor).effect
    Building.objects.filter(town=bureau.town, style="Cape").update(style="Ranch")
    after = count_effect(change, actor=bureau.assessor).effect
    assert after["changed"] > before["changed"]
    assert after["of"]["counted_at"] >= before["of"]["counted_at"]
    assert after["of"]["tables_before_sha256"] == before["of"]["tables_before_sha256"]
    assert after["of"]["tables_before_sha256"] != after["of"]["tables_after_sha256"]


def test_the_list_says_which_changes_were_not_counted(bureau: Bureau) -> None:
    change = proposed(bureau)
    assert [row.has_effect for row in list_changes(bureau.town.code)] == [False]
    count_effect(change, actor=bureau.assessor)
    assert [row.has_effect for row in list_changes(bureau.town.code)] == [True]


@pytest.mark.usefixtures("large")
def test_the_page_shows_the_job_then_its_failure_then_the_effect(bureau: Bureau, signed_in: SignedIn) -> None:
    run = bureau.run()
    base = f"/t/{bureau.town.slug}/cost-tables/"
    client = signed_in(bureau.cast.assessor_a.email)
    rows = higher(run)
    body = {
        "table": "base_rate", "reason": "a study", "level": [row[1] for row in rows], "amount": [str(row[2]) for row in rows],
    }  # fmt: skip
    address = client.post(f"{base}edit", body).url
    shown = client.get(address).content.decode()
    assert "is being counted" in shown
    assert f'data-poll="{address}"' in shown
    assert 'value="accept"' not in shown
    assert 'value="drop"' in shown
    assert "effect not counted" in client.get(base).content.decode()
    refused = client.post(f"{address}decide", {"decision": "accept"}, follow=True).content.decode()
    assert "not known yet" in refused
    fragment = client.get(address, headers={"X-Requested-With": "fetch"})
    assert "<html" not in fragment.content.decode()
    assert "X-Poll" not in fragment.headers
    change = TableChange.objects.get()
    job = find_effect_job(change)
    assert job is not None
    Job.objects.filter(pk=job.pk).update(state="failed", error={"detail": "The disk was full."})
    failed = client.get(address, headers={"X-Requested-With": "fetch"})
    assert failed.headers["X-Poll"] == "done"
    assert "The disk was full." in failed.content.decode()
    assert "Try again" in failed.content.decode()
    assert signed_in(bureau.cast.clerk_a.email).post(f"{address}count").status_code == 403
    assert signed_in(bureau.cast.assessor_b.email).post(f"{address}count").status_code == 404
    assert "is being counted" in client.post(f"{address}count", follow=True).content.decode()
    worked(job)
    done = client.get(address).content.decode()
    assert "Properties that change" in done
    assert f"Of the run {run.list_year} by {run.spec}" in done
    assert 'value="accept"' in done
    assert "valued again since" not in done
    bureau.run()
    assert "valued again since" in client.get(address).content.decode()
