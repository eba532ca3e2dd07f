"""A visit that is held within a batch keeps what was seen at it."""

from __future__ import annotations

import pytest

from assessment.property.models import Inspection, Observation
from assessment.region.scope import scope
from fieldsync.client import Tablet
from tests.cast import SYSTEM, TOWN_A
from tests.fieldsync.conftest import House, draw
from tests.fieldsync.push.test_push import lenient  # noqa: F401  the fixture of the town's rule


@pytest.mark.usefixtures("lenient")
def test_a_visit_held_and_tried_again_in_one_batch_keeps_what_was_seen(
    tablet: Tablet, houses: list[House]
) -> None:
    """Found by the device-days: tried again, the visit was known, and its observations were dropped."""
    house = houses[0]
    tablet.download(str(draw(houses, tablet.device_id).id))
    key, style = str(house.property_id), house.path("style")
    tablet.patch_card(key, {style: "Ranch"})
    tablet.create_inspection(
        key, entry_code="1", observations={style: {"base": "Never seen here", "new": "Cape"}}
    )
    tablet.patch_card(key, {house.path("roof_cover"): "Slate"})
    first, *others = tablet.store.unfinished()
    tablet.push_batch(others)
    tablet.push_batch([first])
    tablet.push()
    with scope(SYSTEM, towns=[TOWN_A]):
        assert Inspection.objects.count() == 1
        assert sorted(Observation.objects.values_list("value", flat=True)) == ["Cape", "Ranch", "Slate"]
