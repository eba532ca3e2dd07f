"""Addresses of the tiles, below ``/tiles/``."""

from __future__ import annotations

from django.urls import path

from gis.tiles import pages

urlpatterns = [path("<slug:town>/<uuid:version>.pmtiles", pages.archive, name="tiles")]
