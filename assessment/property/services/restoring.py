"""Putting a row back on its card that was taken off it, as the journal kept it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction

from assessment.property.models import JournalEntry
from assessment.property.services.locks import lock_property, raise_versions
from assessment.property.targets import TARGETS, target_model
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import because


def restore_row(
    property_id: UUID, *, actor: Actor, target_kind: str, target_id: UUID, reason: str
) -> models.Model:
    """Put a row back with what stood on it, under the ids that they had; one that is there stays as it is.

    Raises
    ------
    NotFound, Forbidden
        The journal knows of no such row that was taken off this card; the actor may not accept what was seen.
    Invalid
        Its number has been given to another row since.
    """
    card = lock_property(property_id)
    actor.require(Permission.ACCEPT_OBSERVATIONS, card.town_id)
    model = target_model(target_kind)
    there = model._default_manager.filter(id=target_id, property_id=property_id).first()
    if there is not None:
        return there
    entries = JournalEntry.objects.filter(town_id=card.town_id, property_id=property_id, operation="D")
    gone = entries.filter(row_id=target_id, table_name=model._meta.db_table).order_by("-id").first()
    if gone is None or gone.before is None:
        raise NotFound("The journal knows of no such row of this card.")
    stood_on_it = entries.filter(
        transaction_id=gone.transaction_id, before__building_id=str(target_id)
    ).order_by("id")
    by_table = {each._meta.db_table: each for each in TARGETS.values()}
    with because(reason):
        try:
            with transaction.atomic():
                row = _insert(model, gone.before)
                for entry in stood_on_it:
                    if entry.before is not None and entry.table_name in by_table:
                        _insert(by_table[entry.table_name], entry.before)
        except IntegrityError as error:
            raise Invalid("Its number has been given to another row since.") from error
        raise_versions([property_id])
    return row


def _insert(model: type[models.Model], before: dict[str, Any]) -> models.Model:
    values = {
        field.attname: field.to_python(before[field.column])
        for field in model._meta.concrete_fields
        if field.column in before
    }
    row = model(**values)
    row.save(force_insert=True)
    return row
