"""Changes from the field: recorded as observations, merged field by field, let through by stated rules.

What the field saw is always kept. It changes the record at once only where the town's policy
``auto_accept_observations`` says so for that field; otherwise it waits for a person.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils import timezone

from assessment.property.bulk import insert_rows
from assessment.property.merge import Outcome
from assessment.property.models import Inspection, Observation
from assessment.property.services.changes import CardRows, Key
from assessment.property.services.locks import lock_properties
from assessment.property.services.observing import Observer, find_others_versions
from assessment.property.services.patch_run import PatchRun
from assessment.property.services.patch_types import CardPatch, PatchResult
from assessment.property.services.patch_values import is_target, read_id
from assessment.property.targets import WHOLE_ROW
from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.ids import new_id
from assessment.region.rules import Permission


def apply_card_patch(
    property_id: UUID,
    *,
    actor: Actor,
    target_kind: str,
    target_id: UUID,
    changes: Mapping[str, Mapping[str, Any]],
    observed_on: dt.date,
    list_year: int,
    **more: Any,
) -> PatchResult:
    """Apply one patch; see `apply_card_patches`. ``more`` are further fields of `CardPatch`."""
    patch = CardPatch(property_id, target_kind, target_id, changes, observed_on, list_year, **more)
    return apply_card_patches([patch], actor=actor)[0]


def apply_card_patches(patches: Sequence[CardPatch], *, actor: Actor) -> list[PatchResult]:
    """Record what patches saw, merge it, and change the record where the town's rule lets it through.

    All cards are locked in order of their ids first. Patches are taken in the order given, so that a later
    one starts from what an earlier one made. Running inside the caller's transaction, it is all or nothing
    for what the database refuses; a patch that makes no sense is quarantined by itself.

    Returns
    -------
    list of PatchResult
        In the order of the patches.
    """
    cards = lock_properties(patch.property_id for patch in patches)
    for town_code in sorted({card.town_id for card in cards.values()}):
        actor.require(Permission.INSPECT, town_code)
    rows = CardRows.load(cards, _keys(patch for patch in patches if patch.property_id in cards))
    seen = Observer(actor, timezone.now(), frozenset(target_id for _, target_id in _keys(patches)))
    run = PatchRun(rows, _present_inspections(patches), seen)
    results: list[PatchResult] = []
    # All rows of one change together: it is taken or held whole.
    for _, group in groupby(patches, key=lambda patch: patch.patch_id or new_id()):
        results += run.take(list(group))
    others = find_others_versions(
        (p.property_id for p in patches if _is_behind(p, rows)), device_id=actor.device_id
    )
    seen.write_taken_back()
    insert_rows(Observation, seen.rows)
    rows.write()
    for patch, result in zip(patches, results, strict=True):
        card = cards.get(patch.property_id)
        if card is not None:
            result.version = card.version + (1 if patch.property_id in rows.touched else 0)
        result.is_soft = others.get(patch.property_id, 0) > (patch.base_version or 0) > 0
        result.status = result.status if result.status in ("held", "quarantined") else _status(result)
    return results


def _is_behind(patch: CardPatch, rows: CardRows) -> bool:
    card = rows.cards.get(patch.property_id)
    return card is not None and patch.base_version is not None and patch.base_version < card.version


def _keys(patches: Iterable[CardPatch]) -> list[Key]:
    """Return the rows that patches name, and the buildings that new rows stand on."""
    keys: list[Key] = []
    for patch in patches:
        if is_target(patch.target_kind):
            keys.append((patch.target_kind, patch.target_id))
        new = patch.changes.get(WHOLE_ROW, {}).get("new")
        building_id = new.get("building_id") if isinstance(new, Mapping) else None
        if building_id:
            with contextlib.suppress(Invalid):
                keys.append(("building", read_id(building_id)))
    return keys


def _present_inspections(patches: Sequence[CardPatch]) -> frozenset[UUID]:
    wanted = {patch.inspection_id for patch in patches if patch.inspection_id}
    if not wanted:
        return frozenset()
    return frozenset(Inspection.objects.filter(id__in=wanted).values_list("id", flat=True))


def _status(result: PatchResult) -> str:
    if result.conflicts:
        return "conflict"
    outcomes = set(result.fields.values())
    if outcomes <= {Outcome.NOOP.value}:
        return "noop"
    if result.is_soft or outcomes & {Outcome.MERGED_SET.value, Outcome.FIELD_WON.value}:
        return "merged"
    return "applied"
