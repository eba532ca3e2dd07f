"""What mutations do to the record: visits first, then what was seen in the order it was seen, then photos.

Works on a whole batch at once through the record's own services, with all cards locked beforehand in
the order of their ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import timezone

from assessment.property.models import Inspection
from assessment.property.services import CardPatch, PatchResult, apply_card_patches, record_inspections
from assessment.property.services.inspections import Visit
from assessment.property.services.locks import lock_properties
from assessment.region.actors import Actor
from fieldsync.devices.models import Device
from fieldsync.photos.declaring import Declaration, declare_photos, expect_photos
from fieldsync.photos.services import ON_THE_WAY
from fieldsync.push.reading import BadPath, Item, join_path, list_year_of, split_changes
from fieldsync.push.reviews import keep_review_answers
from fieldsync.push.rules import Status
from fieldsync.push.schemas import InspectionIn, PatchIn, PhotoIn, ReviewIn
from fieldsync.quality.comparing import find_checked, start_comparing


@dataclass(slots=True)
class Effect:
    """What became of one mutation; ``clashes`` are its fields that wait for a person."""

    status: Status
    code: str = ""
    detail: str = ""
    version: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    held_for: UUID | None = None
    is_soft: bool = False
    needs_upload: bool | None = None
    clashes: list[Clash] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Clash:
    """One field with both values."""

    property_id: UUID
    path: str
    row_id: UUID
    name: str
    base: Any
    theirs: Any
    ours: Any
    reason: str
    observation_id: UUID


Effects = dict[UUID, Effect]

_ORDER = (Status.CONFLICT, Status.QUARANTINED, Status.HELD, Status.MERGED, Status.APPLIED, Status.NOOP)


def apply_items(items: Sequence[Item], *, device: Device, actor: Actor) -> Effects:
    """Apply mutations that could be read, in the order of their numbers, and say what became of each."""
    ordered = sorted(items, key=lambda item: (item.device_seq, item.index))
    visits = [item for item in ordered if isinstance(item.payload, InspectionIn)]
    if visits:
        # Patches lock their cards themselves; where visits come first, all cards are locked before either.
        lock_properties(_properties_of(ordered))
    effects: Effects = {}
    _record_visits(visits, effects, device=device, actor=actor)
    checked = find_checked(item.envelope.package_id for item in ordered if item.envelope is not None)
    _apply_patches(ordered, effects, actor=actor, checked=checked.keys())
    _declare_photos([i for i in ordered if isinstance(i.payload, PhotoIn)], effects, device=device)
    _keep_reviews(
        [i for i in ordered if isinstance(i.payload, ReviewIn)], effects, device=device, actor=actor
    )
    start_comparing(checked)
    return effects


def _keep_reviews(items: Sequence[Item], effects: Effects, *, device: Device, actor: Actor) -> None:
    for item, said in zip(items, keep_review_answers(items, device=device, actor=actor), strict=True):
        effects[item.mutation_id] = (
            _unknown_property() if said == "property-unknown" else Effect(Status(said))
        )


def _properties_of(items: Iterable[Item]) -> set[UUID]:
    found = set()
    for item in items:
        assert item.envelope is not None
        if isinstance(item.payload, InspectionIn):
            found.add(item.payload.property_id)
        elif isinstance(item.payload, PatchIn):
            found.add(item.envelope.entity_id)
    return found


def _record_visits(items: Sequence[Item], effects: Effects, *, device: Device, actor: Actor) -> None:
    if not items:
        return
    visits = [_visit(item, device, actor) for item in items]
    named: list[tuple[UUID, UUID, list[UUID]]] = []
    for item, result in zip(items, record_inspections(visits, actor=actor), strict=True):
        assert item.envelope is not None
        assert isinstance(item.payload, InspectionIn)
        if result is None:
            effects[item.mutation_id] = _unknown_property()
        else:
            status = Status.APPLIED if result.is_new else Status.NOOP
            effects[item.mutation_id] = Effect(status)
            if result.is_new and item.payload.photos:
                named.append((item.envelope.entity_id, item.payload.property_id, item.payload.photos))
    expect_photos(named, town_code=device.town_id)


def _visit(item: Item, device: Device, actor: Actor) -> Visit:
    assert item.envelope is not None
    assert isinstance(item.payload, InspectionIn)
    said = item.payload
    visited_at = said.visited_at or item.envelope.captured_at
    return Visit(
        property_id=said.property_id,
        entry_code=said.entry_code,
        visited_at=visited_at,
        list_year=said.list_year or list_year_of(timezone.localdate(visited_at)),
        inspection_id=item.envelope.entity_id,
        purpose=said.purpose,
        interior_source=said.interior_source,
        is_full_inspection=said.is_full_inspection,
        refusal_note=said.refusal_note,
        note=said.note,
        device_id=device.id,
        package_id=item.envelope.package_id,
        inspected_by_id=actor.person_id,
    )


def _apply_patches(
    items: Sequence[Item], effects: Effects, *, actor: Actor, checked: Collection[UUID]
) -> None:
    """Apply what was seen at visits and what was patched, in one order, as chains of values need it."""
    patches: list[CardPatch] = []
    owners: list[Item] = []
    for item in items:
        try:
            made = _patches_of(item, effects, checked)
        except BadPath as error:
            effects[item.mutation_id] = Effect(Status.QUARANTINED, "field-unknown", str(error))
            continue
        patches += made
        owners += [item] * len(made)
    if not patches:
        return
    outcomes: dict[UUID, list[tuple[CardPatch, PatchResult]]] = {}
    for item, patch, result in zip(owners, patches, apply_card_patches(patches, actor=actor), strict=True):
        outcomes.setdefault(item.mutation_id, []).append((patch, result))
    for mutation_id, results in outcomes.items():
        effects[mutation_id] = _joined(effects.get(mutation_id), results)


def _patches_of(item: Item, effects: Effects, checked: Collection[UUID]) -> list[CardPatch]:
    assert item.envelope is not None
    said, envelope = item.payload, item.envelope
    day = timezone.localdate(item.captured_at())
    common: dict[str, Any] = {
        "patch_id": item.mutation_id,
        "captured_at": item.captured_at(),
        "base_version": envelope.base_version,
        "may_wait": item.may_wait,
        "is_check": envelope.package_id in checked,
    }
    if isinstance(said, PatchIn):
        property_id = envelope.entity_id
        observed_on = said.observed_on or day
        rows = split_changes(property_id, envelope.changes or {})
        common |= {"inspection_id": said.inspection_id, "source": said.source}
    elif isinstance(said, InspectionIn):
        if effects[item.mutation_id].status is not Status.APPLIED and not item.was_parked:
            return []  # a visit that is known is left as it is, with all that was seen at it
        property_id = said.property_id
        observed_on = timezone.localdate(said.visited_at) if said.visited_at else day
        rows = split_changes(property_id, envelope.changes or {})
        common |= {"inspection_id": envelope.entity_id, "source": said.interior_source}
    else:
        return []
    list_year = said.list_year or list_year_of(observed_on)
    return [
        CardPatch(
            property_id=property_id,
            target_kind=kind,
            target_id=row_id,
            changes=changes,
            observed_on=observed_on,
            list_year=list_year,
            **common,
        )
        for (kind, row_id), changes in rows.items()
    ]


def _joined(before: Effect | None, results: Sequence[tuple[CardPatch, PatchResult]]) -> Effect:
    """Return one effect for all rows that a mutation touches: the gravest status of any."""
    effect = before or Effect(Status.NOOP)
    for patch, result in results:
        status = Status(result.status)
        if _ORDER.index(status) < _ORDER.index(effect.status):
            effect.status = status
        if result.code:
            effect.code, effect.detail = _code(result.code), result.detail
        if status is Status.HELD:
            effect.held_for = result.held_for
        effect.version = result.version
        effect.is_soft = effect.is_soft or result.is_soft
        for name, outcome in result.fields.items():
            effect.fields[join_path(patch.target_kind, patch.target_id, name)] = outcome
        effect.clashes += [
            Clash(
                property_id=patch.property_id,
                path=join_path(patch.target_kind, patch.target_id, clash.field),
                row_id=patch.target_id,
                name=clash.field,
                base=clash.base,
                theirs=clash.server,
                ours=clash.new,
                reason=clash.reason,
                observation_id=clash.observation_id,
            )
            for clash in result.conflicts
        ]
    return effect


def _code(code: str) -> str:
    if code in ("unknown-inspection", "unknown-row", "unknown-predecessor"):
        return "predecessor-unknown"
    return "property-unknown" if code == "unknown-property" else code


def _declare_photos(items: Sequence[Item], effects: Effects, *, device: Device) -> None:
    wanted = {
        item.payload.inspection_id
        for item in items
        if isinstance(item.payload, PhotoIn) and item.payload.inspection_id is not None
    }
    visits: dict[UUID | None, UUID] = dict(
        Inspection.objects.filter(id__in=wanted).values_list("id", "property_id")
    )
    ready: list[tuple[Item, Declaration]] = []
    for item in items:
        assert item.envelope is not None
        assert isinstance(item.payload, PhotoIn)
        said = item.payload
        property_id = said.property_id or visits.get(said.inspection_id)
        if said.inspection_id is not None and said.inspection_id not in visits:
            effects[item.mutation_id] = Effect(
                Status.HELD, "predecessor-unknown", held_for=said.inspection_id
            )
        elif property_id is None:
            effects[item.mutation_id] = Effect(
                Status.QUARANTINED, "invalid", "A photo needs a property or an inspection."
            )
        else:
            ready.append((item, _declaration(item.envelope.entity_id, property_id, said)))
    outcomes = declare_photos([declaration for _, declaration in ready], device=device)
    for (item, _), outcome in zip(ready, outcomes, strict=True):
        if outcome is None:
            effects[item.mutation_id] = _unknown_property()
            continue
        status = Status.APPLIED if outcome.is_new else Status.NOOP
        needs_upload = outcome.state in ON_THE_WAY
        effects[item.mutation_id] = Effect(status, needs_upload=needs_upload)


def _declaration(photo_id: UUID, property_id: UUID, said: PhotoIn) -> Declaration:
    place = said.position
    return Declaration(
        photo_id=photo_id,
        property_id=property_id,
        inspection_id=said.inspection_id,
        sha256=said.sha256,
        byte_count=said.bytes,
        media_type=said.mime,
        taken_at=said.taken_at,
        role=said.role,
        latitude=place.lat if place else None,
        longitude=place.lon if place else None,
        accuracy_m=place.accuracy_m if place else None,
    )


def _unknown_property() -> Effect:
    return Effect(Status.QUARANTINED, "property-unknown", "There is no such property in this town.")
