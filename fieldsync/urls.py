"""Addresses of the field's pages, mounted below ``t/<town>/``."""

from __future__ import annotations

from django.urls import path

from fieldsync.office import (
    conflict_pages,
    device_pages,
    map_pages,
    merge_pages,
    package_pages,
    pages,
    photo_pages,
    quality_pages,
    quarantine_pages,
    watch_pages,
)

urlpatterns = [
    path("field/packages/", package_pages.package_list, name="field-packages"),
    path("field/packages/draw", package_pages.package_draw, name="field-package-draw"),
    path("field/packages/draw/count", map_pages.package_count, name="field-package-count"),
    path("field/packages/<uuid:package_id>/stops", map_pages.package_stops, name="field-package-stops"),
    path("field/packages/<uuid:package_id>/", package_pages.package_page, name="field-package"),
    path(
        "field/packages/<uuid:package_id>/change", package_pages.package_change, name="field-package-change"
    ),
    path(
        "field/packages/<uuid:package_id>/package.gpkg", package_pages.package_file, name="field-package-file"
    ),
    path("field/rechecks/", quality_pages.recheck_list, name="field-rechecks"),
    path("field/rechecks/draw", quality_pages.recheck_draw, name="field-recheck-draw"),
    path("field/rechecks/<uuid:recheck_id>/", quality_pages.recheck_page, name="field-recheck"),
    path(
        "field/rechecks/<uuid:recheck_id>/decide", quality_pages.recheck_decide, name="field-recheck-decide"
    ),
    path("field/devices/", pages.device_list, name="field-devices"),
    path("field/devices/<uuid:device_id>/", watch_pages.device_page, name="field-device"),
    path("field/statements/<uuid:statement_id>", watch_pages.statement_text, name="field-statement"),
    path("field/alarms/", watch_pages.alarm_list, name="field-alarms"),
    path("field/devices/code", device_pages.code_make, name="field-code-make"),
    path("field/devices/<uuid:device_id>/step", device_pages.device_step, name="field-device-step"),
    path("field/devices/<uuid:device_id>/state", device_pages.device_state, name="field-device-state"),
    path("field/conflicts/", conflict_pages.conflict_list, name="field-conflicts"),
    path("field/conflicts/answer", conflict_pages.conflicts_answer, name="field-conflicts-answer"),
    path("field/conflicts/<uuid:conflict_id>/", conflict_pages.conflict_item, name="field-conflict"),
    path(
        "field/conflicts/<uuid:conflict_id>/answer",
        conflict_pages.conflict_answer,
        name="field-conflict-answer",
    ),
    path("field/merged/", merge_pages.merged_list, name="field-merged"),
    path("field/merged/take", merge_pages.merged_take, name="field-merged-take"),
    path("field/quarantine/", quarantine_pages.quarantine_list, name="field-quarantine"),
    path("field/quarantine/decide", quarantine_pages.quarantine_decide, name="field-quarantine-decide"),
    path(
        "field/quarantine/<uuid:quarantine_id>/",
        quarantine_pages.quarantine_item,
        name="field-quarantine-item",
    ),
    path("field/photos/", photo_pages.photo_list, name="field-photos"),
    path("field/photos/decide", photo_pages.upload_decide, name="field-photo-decide"),
    path("field/held/", quarantine_pages.held_list, name="field-held"),
    path("field/held/decide", quarantine_pages.held_decide, name="field-held-decide"),
]
