"""Addresses of the product. Each feature owns its own; this file only mounts them."""

from __future__ import annotations

from typing import Any

from django.urls import include, path

from assessment.project.api import api, field_api, ogc_api
from assessment.project.authority import certificate
from assessment.project.health import healthz
from assessment.project.metrics import metrics


def _answering_by_themselves(urls: Any) -> Any:
    """Let the operations of an API say 401: the middleware would send programs to the sign-in page."""
    for pattern in urls[0]:
        pattern.callback.login_required = False
    return urls


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("metrics", metrics, name="metrics"),
    path("ca.crt", certificate, name="authority-certificate"),
    path("api/v1/", _answering_by_themselves(api.urls)),
    path("api/field/v1/", _answering_by_themselves(field_api.urls)),
    path("ogc/", _answering_by_themselves(ogc_api.urls)),
    path("tiles/", include("gis.tiles.urls")),
    path("t/<slug:town>/", include("gis.fabric.urls")),
    path("", include("assessment.office.urls")),
    path("t/<slug:town>/", include("valuation.urls")),
    path("t/<slug:town>/", include("fieldsync.urls")),
]

handler400 = "assessment.office.failures.bad_request"
handler403 = "assessment.office.failures.permission_denied"
handler404 = "assessment.office.failures.page_not_found"
handler500 = "assessment.office.failures.server_error"
