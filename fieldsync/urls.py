"""Addresses of the field's pages, mounted below ``t/<town>/``."""

from __future__ import annotations

from django.urls import path

from fieldsync.office import pages

urlpatterns = [
    path("field/packages/", pages.package_list, name="field-packages"),
    path("field/packages/draw", pages.package_draw, name="field-package-draw"),
    path("field/packages/<uuid:package_id>/change", pages.package_change, name="field-package-change"),
    path("field/devices/", pages.device_list, name="field-devices"),
    path("field/devices/code", pages.code_make, name="field-code-make"),
    path("field/devices/<uuid:device_id>/state", pages.device_state, name="field-device-state"),
    path("field/conflicts/", pages.conflict_list, name="field-conflicts"),
    path("field/conflicts/<uuid:conflict_id>/answer", pages.conflict_answer, name="field-conflict-answer"),
    path("field/quarantine/", pages.quarantine_list, name="field-quarantine"),
]
