"""Every page of the office, at two widths, before axe."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.canaries.routes import list_routes
from tests.journeys.conftest import ROOT, WIDTHS, Open, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Answers that are no pages.
NO_PAGES = ("suggest", "photos/", "files/", "certification", "map.svg", "tiles", ".pdf", ".csv")
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def pages(site: Site) -> list[str]:
    """The addresses of every page of the first town, and those that belong to none."""
    routes = [route for route in list_routes() if route.method == "GET" and route.address.startswith("t/")]
    shown = [route for route in routes if not any(part in route.address for part in NO_PAGES)]
    return ["/", *(route.fill(site.town.ids) for route in shown)]


@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing_on_any_page(site: Site, browse: Open, width: int) -> None:
    axe = Axe.from_file(AXE) if AXE.exists() else Axe()
    page = browse(width=width)
    found: dict[str, list[str]] = {}
    addresses = pages(site)
    assert len(addresses) > 12
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
