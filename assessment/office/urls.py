"""Addresses of the office's pages. Below ``t/<town>/`` the middleware has set the town's scope."""

from __future__ import annotations

from django.urls import include, path

from assessment.office.pages import (
    card,
    grand_lists,
    home,
    imports,
    inspections,
    jobs,
    people,
    photos,
    sales,
    search,
)
from assessment.office.pages.sign_in import SignIn, SignOut

town_urls = [
    path("", home.town_home, name="town-home"),
    path("properties/", search.search, name="property-search"),
    path("properties/suggest", search.suggest, name="property-suggest"),
    path("properties/<uuid:property_id>/", card.card, name="property"),
    path("properties/<uuid:property_id>/print", card.print_card, name="property-print"),
    path("properties/<uuid:property_id>/history", card.history, name="property-history"),
    path("photos/<uuid:photo_id>/<str:size>", photos.photo, name="photo"),
    path("grand-lists/", grand_lists.grand_lists, name="grand-lists"),
    path("grand-lists/<uuid:grand_list_id>/", grand_lists.grand_list, name="grand-list"),
    path(
        "grand-lists/<uuid:grand_list_id>/certification",
        grand_lists.certification_page,
        name="grand-list-certification",
    ),
    path("grand-lists/<uuid:grand_list_id>/export", grand_lists.export, name="grand-list-export"),
    path("grand-lists/<uuid:grand_list_id>/verify", grand_lists.verify, name="grand-list-verify"),
    path("grand-lists/<uuid:grand_list_id>/sign", grand_lists.sign, name="grand-list-sign"),
    path("inspections/", inspections.queue, name="inspection-queue"),
    path("inspections/decide", inspections.decide, name="inspection-decide"),
    path("inspections/undo", inspections.undo, name="inspection-undo"),
    path("sales/", sales.sale_list, name="sale-list"),
    path("sales/screen", sales.screen, name="sales-screen"),
    path("sales/<uuid:transfer_id>/", sales.sale, name="sale"),
    path("sales/<uuid:transfer_id>/decide", sales.decide, name="sale-decide"),
    path("jobs/", jobs.job_list, name="job-list"),
    path("jobs/<uuid:job_id>/", jobs.job, name="job"),
    path("jobs/<uuid:job_id>/stop", jobs.stop, name="job-stop"),
    path("jobs/<uuid:job_id>/repeat", jobs.repeat, name="job-repeat"),
    path("jobs/<uuid:job_id>/files/<str:file_name>", jobs.file, name="job-file"),
    path("imports/", imports.import_list, name="import-list"),
    path("imports/<uuid:import_run_id>/", imports.import_run, name="import-run"),
    path("people/", people.people, name="people"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("t/<slug:town>/", include(town_urls)),
]
