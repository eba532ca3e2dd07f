"""Through the office as people go through it: with the mouse, with the keyboard alone, without script."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from assessment.jobs import runs
from assessment.jobs.models import Job
from assessment.property.models import Building
from assessment.region.scope import scope
from tests.cast import SYSTEM
from tests.journeys.conftest import Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_from_the_front_door_to_a_record_card_with_the_keyboard_alone(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at(""))
    page.keyboard.press("/")
    expect(page.locator("#search-box")).to_be_focused()
    page.keyboard.type("1 aard")
    hit = page.get_by_role("option", name=re.compile("AARDVARK"))
    expect(hit.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(hit.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("1 AARDVARK ST")
    expect(page.get_by_role("img", name=re.compile("Sketch: BAS"))).to_be_visible()


def test_the_skip_link_is_the_first_thing_the_keyboard_meets(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at("properties/"))
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the page's content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_an_observation_is_accepted_and_taken_back_with_the_keyboard_alone(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at("inspections/"))
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-tally]")).to_have_text("1 of 1 marked")
    page.keyboard.press("a")
    expect(page.get_by_text("1 accepted and on record")).to_be_visible()
    assert style_of_the_building(site) == "AARDVARK seen"
    page.keyboard.press("u")
    expect(page.get_by_text("1 wait again")).to_be_visible()
    assert style_of_the_building(site) == "AARDVARK"


def style_of_the_building(site: Site) -> str:
    with scope(SYSTEM, towns=[site.town.town.code]):
        return Building.objects.get(id=site.town.ids["building_id"]).style


def test_typing_a_slash_into_a_field_is_only_a_slash(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at("properties/"))
    page.locator("#filter-q").press_sequentially("1/2")
    expect(page.locator("#filter-q")).to_have_value("1/2")


def test_files_of_a_grand_list_are_asked_for_watched_and_downloaded(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at("grand-lists/"))
    page.get_by_role("link", name=re.compile("Real estate list")).click()
    expect(page.get_by_role("heading", name="M-13: from as signed to after the board")).to_be_visible()
    page.get_by_role("button", name="Write the files").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Export of a grand list")
    expect(page.get_by_text("Queued", exact=True).first).to_be_visible()
    with scope(SYSTEM, towns=[site.town.town.code]):
        job = Job.objects.get(kind="office.export_list")
    assert runs.run(job.id, job.town_id) == "succeeded"
    # The page finds out by itself.
    expect(page.get_by_text("Succeeded", exact=True)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile(r"\.xlsx$")).click()
    assert download.value.suggested_filename.endswith(".xlsx")


def test_everything_works_without_script(site: Site, browse: Open) -> None:
    page = browse(script=False)
    page.goto(site.at(""))
    page.fill("#search-box", "aardvark")
    page.press("#search-box", "Enter")
    page.get_by_role("link", name="1 AARDVARK ST").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 AARDVARK ST")
    page.goto(site.at("inspections/"))
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Accept marked").click()
    expect(page.get_by_text("1 accepted and on record")).to_be_visible()
    page.locator(".switcher summary").click()
    expect(page.get_by_role("link", name="All my towns")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to Grandlist")).to_be_visible()


def test_a_sale_is_decided_with_a_reason(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(site.at("sales/"))
    page.get_by_role("link", name="1 AARDVARK ST").first.click()
    page.select_option("#validity", "not-usable")
    page.fill("#decision-reason", "between relatives")
    page.get_by_role("button", name="Keep the decision").click()
    expect(page.get_by_text("The decision is kept.")).to_be_visible()
    expect(page.get_by_text("between relatives")).to_be_visible()


def test_another_town_looks_like_no_town(site: Site, browse: Open) -> None:
    page = browse()
    page.goto(f"{site.url}/t/{site.other.town.slug}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page or record")
