"""A change of cost tables whose effect a job counts: the page keeps itself fresh, and axe finds nothing in any state."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from assessment.jobs.models import Job
from assessment.region.scope import scope
from tests.cast import SYSTEM
from tests.journeys.conftest import Open, Site
from tests.journeys.test_accessibility import AXE
from valuation.schedules.counting import COUNT
from valuation.schedules.models import TableChange

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EFFECT = {
    "properties": 4321, "changed": 1234, "before": 5, "after": 6, "largest_percent": 7.5, "groups": [], "studies": [],
    "of": {
        "list_year": 2025, "spec": "canary v1", "facts_on": None, "sales": 12, "counted_at": "2026-11-20T12:00:00+00:00",
    },
}  # fmt: skip


def make_change(site: Site) -> tuple[TableChange, Job]:
    from django.utils import timezone

    town = site.town.town
    with scope(SYSTEM, towns=[town.code], reason="a test"):
        change = TableChange.objects.create(
            town=town, run_id=site.town.ids["valuation_run_id"], schedule={}, changed=[["Base rates", "Ranch", "1", "2"]],
            reason="a study", proposed_by_name="a test",
        )  # fmt: skip
        job = Job.objects.create(
            town=town, kind=COUNT, key=str(change.pk), requested_by_name="a test", sent_at=timezone.now(), done=1,
            total=5, label="reading the facts",
        )  # fmt: skip
    return change, job


def set_job(site: Site, job: Job, **fields: object) -> None:
    with scope(SYSTEM, towns=[site.town.town.code], reason="a test"):
        Job.objects.filter(pk=job.pk).update(**fields)


def violations(page: Page) -> list[str]:
    found = (Axe.from_file(AXE) if AXE.exists() else Axe()).run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:160]}" for each in found for node in each["nodes"][:3]]


def test_the_page_follows_the_job_to_its_failure_and_to_the_effect(site: Site, browse: Open) -> None:
    change, job = make_change(site)
    page = browse()
    page.goto(site.at(f"cost-tables/{change.pk}/"))
    expect(page.locator("progress")).to_have_attribute("value", "20")
    expect(page.get_by_role("button", name=re.compile("Accept"))).to_have_count(0)
    assert violations(page) == []
    set_job(site, job, state="failed", error={"detail": "The disk was full."})
    expect(page.get_by_text("The disk was full.")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    assert violations(page) == []
    set_job(site, job, state="queued", error=None)
    page.reload()
    with scope(SYSTEM, towns=[site.town.town.code], reason="a test"):
        TableChange.objects.filter(pk=change.pk).update(effect=EFFECT)
    set_job(site, job, state="succeeded")
    expect(page.get_by_text("1,234 of 4,321")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("Accept"))).to_be_visible()
    assert violations(page) == []
