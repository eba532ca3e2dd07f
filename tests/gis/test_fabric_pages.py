"""The topology report of a fabric on its page."""

from __future__ import annotations

import pytest
from django.test import Client

from assessment.region.scope import scope
from gis.fabric.models import TopologyFinding
from tests.canaries.world import World, make_world
from tests.cast import SYSTEM, Cast


@pytest.fixture
def world(cast: Cast, settings: object, tmp_path: object) -> World:
    settings.STATIC_ROOT = tmp_path  # type: ignore[attr-defined]
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return make_world(cast.town_a, cast.assessor_a, "AARDVARK", cast.actor(cast.assessor_a))


def page_of(world: World, address: str) -> str:
    client = Client()
    client.force_login(world.person, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/t/{world.town.slug}/parcels/{address}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_finding_is_shown_with_its_rows_and_a_link_to_the_property_that_stands_there(world: World) -> None:
    from gis.fabric.models import Parcel

    with scope(SYSTEM, towns=[world.town.code], reason="found"):
        parcel = Parcel.objects.get(fabric_id=world.ids["fabric_id"])
        TopologyFinding.objects.create(
            town=world.town, fabric=parcel.fabric, kind="overlap", rows=[7], parcel_keys=[parcel.parcel_key],
            area_sqft=12.5, detail="with the neighbor",
        )  # fmt: skip
    page = page_of(world, f"{world.ids['fabric_id']}/")
    for text in ("with the neighbor", "12.5", f"/properties/{world.ids['property_id']}/"):
        assert text in page
    assert "with the neighbor" not in page_of(world, f"{world.ids['fabric_id']}/?kind=gap")


def test_the_fabrics_of_the_town_are_listed(world: World) -> None:
    assert "Fabric 1" in page_of(world, "")
