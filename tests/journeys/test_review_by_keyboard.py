"""The review of a run's values with the keyboard alone: queue, property, override, checks and closing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from assessment.region.scope import scope
from tests.cast import SYSTEM
from tests.journeys.conftest import Open, Site
from valuation.review.models import Override
from valuation.runs.models import Conclusion

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MOST_STOPS = 120
_SHOWN = """node => {
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  const on_screen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  return (outlined || style.boxShadow !== 'none') && on_screen;
}"""


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the wanted control has the focus; every stop on the way must show its focus."""
    expect(wanted).to_have_count(1)
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if focused.count():
            assert focused.evaluate(_SHOWN), f"no visible focus: {focused.evaluate('n => n.outerHTML')[:160]}"
        if wanted.evaluate("node => node === document.activeElement"):
            return
    raise AssertionError("Tab never comes to it")


def press(page: Page, wanted: Locator) -> None:
    """Reach a link or button with Tab and press Enter."""
    tab_to(page, wanted)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def conclusion_of(site: Site) -> Conclusion:
    with scope(SYSTEM, towns=[site.town.town.code]):
        return Conclusion.objects.get(id=site.town.ids["conclusion_id"])


def test_a_value_is_overridden_and_the_checks_are_reached_with_the_keyboard_alone(
    site: Site, browse: Open
) -> None:
    page = browse()
    run, conclusion = site.town.ids["valuation_run_id"], site.town.ids["conclusion_id"]
    with scope(SYSTEM, towns=[site.town.town.code]):
        before = set(Override.objects.values_list("id", flat=True))
    page.goto(site.at(f"ratio-studies/{run}/"))
    press(page, page.locator(f"main a[href$='/{run}/review/']").first)
    press(page, page.locator(f"tbody a[href*='{conclusion}']"))
    tab_to(page, page.locator("#note-1"))
    page.keyboard.type("not seen")
    press(page, page.get_by_role("button", name="Refuse"))
    tab_to(page, page.locator("#override-value"))
    page.keyboard.type(str(conclusion_of(site).value + 1000))
    tab_to(page, page.locator("#override-reason"))
    page.keyboard.press("ArrowDown")
    tab_to(page, page.locator("#override-note"))
    page.keyboard.type("seen from the road")
    press(page, page.get_by_role("button", name="Override", exact=True))
    with scope(SYSTEM, towns=[site.town.town.code]):
        made = Override.objects.exclude(id__in=before).get()
    assert made.note == "seen from the road"
    press(page, page.locator(f"nav a[href$='/{run}/review/'], .crumbs a[href$='/{run}/review/']").first)
    press(page, page.get_by_role("link", name="Checks before posting"))
    tab_to(page, page.get_by_role("button", name="Close", exact=True))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Checks before posting")
    expect(page.locator(".usa-alert").first).to_be_visible()


@pytest.mark.parametrize("place", ["queue", "conclusion", "closing"])
def test_tab_leaves_every_page_of_the_review_at_its_end(site: Site, browse: Open, place: str) -> None:
    ids = site.town.ids
    page = browse()
    page.goto(
        site.at(
            {
                "queue": f"ratio-studies/{ids['valuation_run_id']}/review/",
                "conclusion": f"conclusions/{ids['conclusion_id']}/",
                "closing": f"ratio-studies/{ids['valuation_run_id']}/closing",
            }[place]
        )
    )
    wanted = page.evaluate(
        "() => [...document.querySelectorAll("
        "'main a[href], main button, main input:not([type=hidden]), main select, main textarea')]"
        ".filter(n => !n.disabled && n.checkVisibility()).length"
    )
    met = 0
    for stop in range(MOST_STOPS):
        page.keyboard.press("Tab")
        # At its end the focus leaves for the window's own controls, or begins again at the skip link.
        is_first = page.get_by_text("Skip to the page's content").evaluate(
            "n => n === document.activeElement"
        )
        if page.evaluate("document.activeElement === document.body") or (stop and is_first):
            break
        met += page.evaluate(
            "document.activeElement.matches('main a, main button, main input, main select, main textarea')"
        )
    else:
        raise AssertionError("Tab goes round and never leaves the page")
    assert met == wanted > 0
