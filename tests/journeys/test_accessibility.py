"""Every page of the office, at two widths, before axe."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.canaries.routes import list_routes
from tests.journeys.conftest import ROOT, WIDTHS, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def pages(site: Site, page: Page) -> list[str]:
    """The addresses of every page of the first town, and those that belong to none; files are no pages."""
    routes = [route for route in list_routes() if route.method == "GET" and route.address.startswith("t/")]
    addresses = ["/", *(route.fill(site.town.ids) for route in routes)]
    return [address for address in addresses if _is_page(page, site.url + address)]


def _is_page(page: Page, address: str) -> bool:
    answer = page.request.get(address)
    is_shown = "attachment" not in answer.headers.get("content-disposition", "")
    return (
        is_shown
        and answer.headers.get("content-type", "").startswith("text/html")
        and "<html" in answer.text()
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(site: Site, browse: Open, width: int) -> None:
    axe = Axe.from_file(AXE) if AXE.exists() else Axe()
    page = browse(width=width)
    found: dict[str, list[str]] = {}
    addresses = pages(site, page)
    assert len(addresses) > 40
    for address in [*addresses, "/t/nowhere/"]:
        page.goto(site.url + address)
        violations = axe.run(page).response["violations"]
        if violations:
            found[address] = [
                f"{each['id']}: {node['html'][:160]}" for each in violations for node in each["nodes"][:3]
            ]
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        if overflow > 0:
            found.setdefault(address, []).append(f"the page is {overflow} px wider than the window")
    page.context.clear_cookies()
    page.goto(site.url + "/sign-in")
    if violations := axe.run(page).response["violations"]:
        found["/sign-in"] = [each["id"] for each in violations]
    assert found == {}
