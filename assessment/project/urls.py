"""Addresses of the product. Each feature owns its own; this file only mounts them."""

from __future__ import annotations

from django.urls import include, path

from assessment.project.api import api, field_api

urlpatterns = [
    path("api/v1/", api.urls),
    path("api/field/v1/", field_api.urls),
    path("", include("assessment.office.urls")),
]

handler400 = "assessment.office.failures.bad_request"
handler403 = "assessment.office.failures.permission_denied"
handler404 = "assessment.office.failures.page_not_found"
handler500 = "assessment.office.failures.server_error"
