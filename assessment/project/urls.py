"""Addresses of the product. Each feature owns its own; this file only mounts them."""

from __future__ import annotations

from django.urls import path

from assessment.project.api import api, field_api

urlpatterns = [
    path("api/v1/", api.urls),
    path("api/field/v1/", field_api.urls),
]
