"""What the office registers itself, for the features below it."""

from __future__ import annotations

from assessment.office import panels, registries
from assessment.office.observations import waiting_state
from assessment.office.pages.jobs import failed_jobs_state
from assessment.office.pages.search import find_properties
from assessment.office.registries import NavItem, Panel, Queue, SearchProvider, YearTrack
from assessment.office.roll_year import tracks
from assessment.office.values import values_panel


def register() -> None:
    """Register the panels, queues, navigation and search of the features inside `assessment`."""
    for panel in PANELS:
        registries.panels.register(panel)
    registries.year_tracks.register(YearTrack("office.lists", 10, "view", tracks))
    for queue in QUEUES:
        registries.queues.register(queue)
    for provider in SEARCH_PROVIDERS:
        registries.search_providers.register(provider)
    for item in NAV_ITEMS:
        registries.nav_items.register(item)


PANELS = (
    Panel("office.values", "Values", 10, "view", "office/card/values.html", values_panel),
    Panel("office.land", "Land", 20, "view", "office/card/land.html", panels.land_panel),
    Panel("office.buildings", "Buildings", 30, "view", "office/card/buildings.html", panels.buildings_panel),
    Panel("office.features", "Outbuildings and extras", 40, "view", "office/card/features.html", panels.features_panel, wide=False),
    Panel("office.photos", "Photos", 50, "view", "office/card/photos.html", panels.photos_panel, wide=False, printed=False),
    Panel("office.sales", "Sales", 70, "view", "office/card/sales.html", panels.sales_panel),
    Panel("office.owners", "Owners", 80, "view", "office/card/owners.html", panels.owners_panel, wide=False),
    Panel("office.permits", "Permits", 90, "view", "office/card/permits.html", panels.permits_panel, wide=False),
    Panel("office.inspections", "Inspections", 100, "view", "office/card/inspections.html", panels.inspections_panel),
    Panel("office.history", "History", 110, "view", "office/card/history.html", panels.history_panel, printed=False),
)  # fmt: skip

QUEUES = (
    Queue("office.inspections", "Observations to accept", 10, "accept_observations", waiting_state),
    Queue("office.failed_jobs", "Jobs that failed in the last 7 days", 90, "edit_record", failed_jobs_state),
)
SEARCH_PROVIDERS = (SearchProvider("office.properties", "Properties", 10, "view", find_properties),)
NAV_ITEMS = (
    NavItem("office.home", "Home", 10, "view", "town-home", "home"),
    NavItem("office.properties", "Properties", 20, "view", "property-search", "properties"),
    NavItem("office.inspections", "Inspections", 30, "view", "inspection-queue", "inspections"),
    NavItem("office.lists", "Grand lists", 40, "view", "grand-lists", "lists"),
    NavItem("office.sales", "Sales", 50, "view", "sale-list", "sales"),
    NavItem("office.imports", "Imports", 70, "view", "import-list", "imports"),
    NavItem("office.jobs", "Jobs", 80, "view", "job-list", "jobs"),
    NavItem("office.people", "People", 90, "view", "people", "people"),
)
