"""Reading re-checks, and hiding from the second person what the first one entered."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from assessment.property.models import Observation, Photo
from fieldsync.quality.models import RecheckItem
from fieldsync.quality.rules import WHOLE_ROW, Seen, mask_card


def mask_cards(package_id: UUID, cards: Mapping[UUID, str]) -> dict[UUID, str]:
    """Return cards without what the first inspection of a re-check entered, in canonical JSON."""
    firsts = dict(
        RecheckItem.objects.filter(recheck__package=package_id, property_id__in=list(cards)).values_list(
            "first_inspection_id", "property_id"
        )
    )
    seen: dict[UUID, list[Seen]] = {}
    for entered in Observation.objects.filter(inspection_id__in=list(firsts)):
        assert entered.inspection_id is not None
        seen.setdefault(firsts[entered.inspection_id], []).append(
            Seen(entered.target_kind, str(entered.target_id), entered.field)
        )
    for photo in Photo.objects.filter(inspection_id__in=list(firsts)):
        assert photo.inspection_id is not None
        seen.setdefault(firsts[photo.inspection_id], []).append(Seen("photo", str(photo.id), WHOLE_ROW))
    return {key: mask_card(text, seen.get(key, ())) for key, text in cards.items()}
