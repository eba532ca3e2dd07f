"""What answers of a field review do: they are kept, and move no value."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from assessment.region.actors import Actor
from fieldsync.devices.models import Device
from fieldsync.push.reading import Item, list_year_of
from fieldsync.push.schemas import ReviewIn
from fieldsync.review.models import ReviewAnswer
from fieldsync.review.services import keep_answers


def keep_review_answers(items: Sequence[Item], *, device: Device, actor: Actor) -> list[str]:
    """Keep the answers among ``items`` and return what became of each; see `keep_answers`."""
    return keep_answers([_answer(item, device, actor) for item in items], actor=actor) if items else []


def _answer(item: Item, device: Device, actor: Actor) -> ReviewAnswer:
    said, envelope = item.payload, item.envelope
    assert envelope is not None
    assert isinstance(said, ReviewIn)
    answered_at = item.captured_at() or timezone.now()
    return ReviewAnswer(
        id=envelope.entity_id,
        town_id=device.town_id,
        package_id=envelope.package_id,
        property_id=said.property_id,
        list_year=said.list_year or list_year_of(timezone.localdate(answered_at)),
        decision=said.decision,
        proposed_value=said.proposed_value,
        value=said.value,
        reason=said.reason.strip(),
        answered_by_id=actor.person_id,
        device=device,
        mutation_id=item.mutation_id,
        answered_at=answered_at,
    )
