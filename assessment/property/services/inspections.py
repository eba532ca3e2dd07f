"""Inspections: visits with what was seen. The client makes the ids; the same visit again changes nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from assessment.property.models import Code, Inspection, Property
from assessment.property.services.locks import lock_properties, raise_versions
from assessment.property.services.patch_types import CardPatch, PatchResult
from assessment.property.services.patches import apply_card_patches
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.region.scope import because


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as the field reports it.

    Attributes
    ----------
    inspection_id
        The client's id.
    is_full_inspection
        Exterior measured and interior entered; None to go by the town's entry code.
    observations
        What was seen, row by row; the property and the visit are filled in.
    """

    property_id: UUID
    entry_code: str
    visited_at: dt.datetime
    list_year: int
    inspection_id: UUID = field(default_factory=new_id)
    purpose: str = "revaluation"
    interior_source: str = ""
    is_full_inspection: bool | None = None
    refusal_note: str = ""
    note: str = ""
    device_id: UUID | None = None
    package_id: UUID | None = None
    inspected_by_id: UUID | None = None
    observations: Sequence[CardPatch] = ()


@dataclass(slots=True)
class VisitResult:
    """What became of a visit: new or known, and the outcome of each of its observations."""

    inspection_id: UUID
    is_new: bool
    patches: list[PatchResult] = field(default_factory=list)


def record_inspection(visit: Visit, *, actor: Actor) -> VisitResult:
    """Record one visit; see `record_inspections`. `NotFound` when there is no such property."""
    result = record_inspections([visit], actor=actor)[0]
    if result is None:
        raise NotFound("There is no such property.")
    return result


def record_inspections(visits: Sequence[Visit], *, actor: Actor) -> list[VisitResult | None]:
    """Record visits with their observations.

    A visit whose id is known is left as it is, with all its observations. A full inspection sets the day of
    the property's last one (CGS 12-62 asks for one in ten years); an estimated interior is none.

    Returns
    -------
    list of VisitResult or None
        In the order given; None where the property is not there.
    """
    cards = lock_properties(visit.property_id for visit in visits)
    for town_code in sorted({card.town_id for card in cards.values()}):
        actor.require(Permission.INSPECT, town_code)
    held = set(
        Inspection.objects.filter(id__in=[visit.inspection_id for visit in visits]).values_list(
            "id", flat=True
        )
    )
    full_codes = _full_entry_codes({card.town_id for card in cards.values()})
    new: dict[UUID, Visit] = {}
    results: list[VisitResult | None] = []
    for visit in visits:
        if visit.property_id not in cards:
            results.append(None)
            continue
        is_new = visit.inspection_id not in held and visit.inspection_id not in new
        if is_new:
            new[visit.inspection_id] = visit
        results.append(VisitResult(visit.inspection_id, is_new))
    rows = [_row(visit, cards[visit.property_id], actor, full_codes) for visit in new.values()]
    with because("inspection"):
        Inspection.objects.bulk_create(rows)
    _note_full_inspections(rows, cards)
    _apply_observations(list(new.values()), results, actor)
    return results


def _apply_observations(visits: list[Visit], results: list[VisitResult | None], actor: Actor) -> None:
    patches = [_of_visit(patch, visit) for visit in visits for patch in visit.observations]
    if not patches:
        return
    by_visit = {result.inspection_id: result for result in results if result is not None and result.is_new}
    for patch, outcome in zip(patches, apply_card_patches(patches, actor=actor), strict=True):
        assert patch.inspection_id is not None
        by_visit[patch.inspection_id].patches.append(outcome)


def _of_visit(patch: CardPatch, visit: Visit) -> CardPatch:
    return CardPatch(
        property_id=visit.property_id,
        target_kind=patch.target_kind,
        target_id=patch.target_id,
        changes=patch.changes,
        observed_on=patch.observed_on,
        list_year=patch.list_year,
        patch_id=patch.patch_id,
        inspection_id=visit.inspection_id,
        source=patch.source or visit.interior_source,
        captured_at=patch.captured_at or visit.visited_at,
        base_version=patch.base_version,
    )


def _row(visit: Visit, card: Property, actor: Actor, full_codes: set[tuple[int, str]]) -> Inspection:
    is_full = visit.is_full_inspection
    if is_full is None:
        is_full = (card.town_id, visit.entry_code) in full_codes and visit.interior_source != "estimated"
    return Inspection(
        id=visit.inspection_id,
        town_id=card.town_id,
        property_id=card.id,
        purpose=visit.purpose,
        entry_code=visit.entry_code,
        interior_source=visit.interior_source,
        is_full_inspection=is_full,
        visited_at=visit.visited_at,
        inspected_by_id=visit.inspected_by_id or actor.person_id,
        device_id=visit.device_id or actor.device_id,
        package_id=visit.package_id,
        list_year=visit.list_year,
        refusal_note=visit.refusal_note,
        note=visit.note,
    )


def _full_entry_codes(towns: set[int]) -> set[tuple[int, str]]:
    rows: Any = Code.objects.filter(town_id__in=towns, table="entry", attributes__full=True)
    return set(rows.values_list("town_id", "code"))


def _note_full_inspections(rows: list[Inspection], cards: dict[UUID, Property]) -> None:
    for row in rows:
        card, day = cards[row.property_id], timezone.localdate(row.visited_at)
        if row.is_full_inspection and (
            card.last_full_inspection_on is None or card.last_full_inspection_on < day
        ):
            card.last_full_inspection_on = day
            with because("full inspection", effective_on=day):
                Property.objects.filter(id=card.id).update(last_full_inspection_on=day)
                raise_versions([card.id])
