"""Sections of a sketch, and the areas of a building that follow from them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from assessment.property.models import Building, Code, Section
from assessment.property.rules.sketch import (
    BuildingAreas,
    SectionFactors,
    SketchError,
    area_sqft,
    check_polygon,
    perimeter_ft,
    points_of_walls,
    weigh_areas,
)
from assessment.property.services.locks import lock_property, raise_versions
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import because


class SketchOpen(Invalid):
    """The sketch does not close, has no area, or its walls cross."""

    code, title = "sketch-open", "The sketch is not a closed polygon"


def put_section(
    property_id: UUID,
    *,
    actor: Actor,
    building_id: UUID,
    label: str,
    reason: str,
    points_ft: Sequence[Sequence[float]] | None = None,
    walls_ft: Sequence[Sequence[float]] | None = None,
    storey: int = 1,
    is_interior_plan: bool = False,
    section_id: UUID | None = None,
) -> Section:
    """Draw an area of a building, or draw it anew, and let the building's areas follow.

    Parameters
    ----------
    points_ft
        Corners in feet from the sketch's origin; or else
    walls_ft
        Steps (dx, dy) from corner to corner, which must come back to the first.

    Raises
    ------
    SketchOpen
        RCSA 12-62f-4's closure check failed; the detail says by how much.
    """
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    building = Building.objects.filter(id=building_id, property_id=property_id).first()
    if building is None:
        raise NotFound("There is no such building on the card.")
    values = {
        "label": label,
        "storey": storey,
        "is_interior_plan": is_interior_plan,
        **shape_values(points_ft=points_ft, walls_ft=walls_ft),
    }
    with because(reason):
        if section_id and Section.objects.filter(id=section_id, property_id=property_id).update(**values):
            section = Section.objects.get(id=section_id)
        else:
            identity = {"id": section_id} if section_id else {}
            section = Section.objects.create(
                **identity, town_id=card.town_id, property=card, building=building, **values
            )
        recompute_areas([building.id])
        raise_versions([property_id])
    return section


def shape_values(
    *, points_ft: Sequence[Sequence[float]] | None = None, walls_ft: Sequence[Sequence[float]] | None = None
) -> dict[str, object]:
    """Return the columns of a section's shape; raise `SketchOpen`."""
    try:
        points = check_polygon(points_of_walls(walls_ft) if walls_ft else points_ft or [])
    except SketchError as error:
        raise SketchOpen(str(error)) from error
    return {
        "points_ft": [list(point) for point in points],
        "area_sqft": round(area_sqft(points), 2),
        "perimeter_ft": round(perimeter_ft(points), 2),
    }


def recompute_areas(building_ids: Sequence[UUID]) -> dict[UUID, BuildingAreas]:
    """Set gross, living and effective area of sketched buildings by the town's section table.

    Buildings without a sketch, or with a section whose label has no factors, stay as they are.
    Runs inside a service that holds the card's lock and has stated its reason.
    """
    made: dict[UUID, BuildingAreas] = {}
    for building in Building.objects.filter(id__in=building_ids).order_by("id"):
        sections = [
            (label, float(area))
            for label, area in Section.objects.filter(building=building, is_interior_plan=False).values_list(
                "label", "area_sqft"
            )
        ]
        areas = weigh_areas(sections, section_factors(building.town_id)) if sections else None
        if areas is None:
            continue
        made[building.id] = areas
        values = {
            "gross_area_sqft": areas.gross_area_sqft,
            "living_area_sqft": areas.living_area_sqft,
            "effective_area_sqft": areas.effective_area_sqft,
        }
        if any(getattr(building, name) != value for name, value in values.items()):
            Building.objects.filter(id=building.id).update(**values)
    return made


def section_factors(town_code: int) -> dict[str, SectionFactors]:
    """Return the town's living and effective shares by section label."""
    rows = Code.objects.filter(town_id=town_code, table="section").values_list("code", "attributes")
    return {
        code: SectionFactors(float(given["living_share"]), float(given["effective_share"]))
        for code, given in rows
        if {"living_share", "effective_share"} <= set(given)
    }
