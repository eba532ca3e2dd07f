"""The app of the land."""

from __future__ import annotations

from django.apps import AppConfig


class GisConfig(AppConfig):
    """Parcels, layers, tiles and the interface for GIS tools."""

    name = "gis"
    verbose_name = "Land"
