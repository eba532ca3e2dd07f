"""Addresses of the office's pages. Below ``t/<town>/`` the middleware has set the town's scope."""

from __future__ import annotations

from django.urls import include, path

from assessment.office.pages import card, home, photos, search
from assessment.office.pages.sign_in import SignIn, SignOut

town_urls = [
    path("", home.town_home, name="town-home"),
    path("properties/", search.search, name="property-search"),
    path("properties/suggest", search.suggest, name="property-suggest"),
    path("properties/<uuid:property_id>/", card.card, name="property"),
    path("properties/<uuid:property_id>/print", card.print_card, name="property-print"),
    path("properties/<uuid:property_id>/history", card.history, name="property-history"),
    path("photos/<uuid:photo_id>/<str:size>", photos.photo, name="photo"),
]

urlpatterns = [
    path("", home.home, name="home"),
    path("sign-in", SignIn.as_view(), name="sign-in"),
    path("sign-out", SignOut.as_view(), name="sign-out"),
    path("t/<slug:town>/", include(town_urls)),
]
