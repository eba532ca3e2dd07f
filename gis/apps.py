"""The app of the land."""

from __future__ import annotations

from django.apps import AppConfig


class GisConfig(AppConfig):
    """Parcels, layers, tiles and the interface for GIS tools."""

    name = "gis"
    verbose_name = "Land"

    def ready(self) -> None:
        """Register what the land adds to the office's pages."""
        from assessment.office import registries as office
        from assessment.region.rules import Permission
        from gis.sitemap.pages import map_panel

        office.panels.register(
            office.Panel(
                id="gis.map",
                title="Map",
                order=60,
                permission=Permission.VIEW,
                template="gis/panel_map.html",
                context=map_panel,
                wide=False,
            )
        )
        office.nav_items.register(
            office.NavItem("gis.parcels", "Parcels", 65, Permission.VIEW, "fabrics", "land")
        )
