"""Addresses of the land's pages, below ``/t/<town>/``."""

from __future__ import annotations

from django.urls import path

from gis.fabric import pages

urlpatterns = [
    path("parcels/", pages.fabrics, name="fabrics"),
    path("parcels/<uuid:fabric_id>/", pages.fabric, name="fabric"),
]
