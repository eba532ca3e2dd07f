"""Drawing the demonstration's sketches on the cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from assessment.demo.rules.sketches import Outline
from assessment.property.bulk import in_batches, insert_rows
from assessment.property.models import Building, PropertyAlias, Section
from assessment.property.services.locks import raise_versions
from assessment.property.services.sketch import shape_values
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.scope import scope

_BATCH = 2_000


def draw_sketches(town: Town, *, actor: Actor, sketches: Mapping[str, Sequence[Outline]]) -> int:
    """Draw the sketches, by parcel identifier, of synthetic houses that have none.

    The buildings' areas are those of the sketches already: the cards were written with them.

    Returns
    -------
    int
        How many houses got a sketch; a second call gives none.
    """
    with scope(actor, towns=[town.code], reason="sketches of the demonstration"):
        bare = dict(
            Building.objects.filter(
                town_id=town.code, is_synthetic=True, building_number=1, sections__isnull=True
            ).values_list("property_id", "id")
        )
        keys = PropertyAlias.objects.filter(town_id=town.code, id_type="gis", property_id__in=list(bare))
        wanted = [
            (property_id, bare[property_id], sketches[key])
            for key, property_id in keys.order_by("value").values_list("value", "property_id")
            if key in sketches
        ]
        for batch in in_batches(wanted, _BATCH):
            insert_rows(
                Section,
                [
                    _row(town.code, property_id, building_id, outline)
                    for property_id, building_id, outlines in batch
                    for outline in outlines
                ],
            )
            raise_versions([property_id for property_id, _, _ in batch])
    return len(wanted)


def _row(town_code: int, property_id: UUID, building_id: UUID, outline: Outline) -> dict[str, Any]:
    return {
        "id": new_id(),
        "town_id": town_code,
        "property_id": property_id,
        "building_id": building_id,
        "label": outline.label,
        "storey": outline.storey,
        **shape_values(points_ft=outline.corners),
    }
