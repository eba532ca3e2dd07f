"""What the office registers itself, for the features below it."""

from __future__ import annotations

from assessment.office import panels, registries
from assessment.office.registries import NavItem, Panel


def register() -> None:
    """Register the panels, queues, navigation and search of the features inside `assessment`."""
    for panel in PANELS:
        registries.panels.register(panel)
    for item in NAV_ITEMS:
        registries.nav_items.register(item)


PANELS = (
    Panel("office.land", "Land", 20, "view", "office/card/land.html", panels.land_panel),
    Panel("office.buildings", "Buildings", 30, "view", "office/card/buildings.html", panels.buildings_panel),
    Panel("office.features", "Outbuildings and extras", 40, "view", "office/card/features.html", panels.features_panel, wide=False),
    Panel("office.photos", "Photos", 50, "view", "office/card/photos.html", panels.photos_panel, wide=False, printed=False),
    Panel("office.owners", "Owners", 80, "view", "office/card/owners.html", panels.owners_panel, wide=False),
    Panel("office.permits", "Permits", 90, "view", "office/card/permits.html", panels.permits_panel, wide=False),
    Panel("office.inspections", "Inspections", 100, "view", "office/card/inspections.html", panels.inspections_panel),
    Panel("office.history", "History", 110, "view", "office/card/history.html", panels.history_panel, printed=False),
)  # fmt: skip

NAV_ITEMS = (
    NavItem("office.home", "Home", 10, "view", "town-home", "home"),
    NavItem("office.properties", "Properties", 20, "view", "property-search", "properties"),
    NavItem("office.imports", "Imports", 70, "view", "import-list", "imports"),
    NavItem("office.jobs", "Jobs", 80, "view", "job-list", "jobs"),
    NavItem("office.people", "People", 90, "view", "people", "people"),
)
