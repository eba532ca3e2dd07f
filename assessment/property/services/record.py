"""Properties and the rows of their cards, written by the office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from assessment.property.accounts import next_account_number
from assessment.property.models import Property, PropertyAlias
from assessment.property.rules.addresses import split_address
from assessment.property.rules.policies import broken_invariant
from assessment.property.services.locks import lock_property, raise_versions
from assessment.property.targets import changeable_fields, read_value, target_model
from assessment.region.actors import Actor
from assessment.region.errors import Conflict, Invalid, NotFound
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.scope import because


def create_property(
    town: Town,
    *,
    actor: Actor,
    reason: str,
    account_number: str = "",
    kind: str = Property.Kind.REAL,
    aliases: Mapping[str, str] | None = None,
    valid_from: dt.date | None = None,
    **values: Any,
) -> Property:
    """Create an account; its number is the next free one unless one is given.

    Raises
    ------
    Forbidden, Invalid
        The actor may not edit the record; a value does not fit; the number is taken.
    """
    actor.require(Permission.EDIT_RECORD, town.code)
    read = {name: read_value("property", name, value) for name, value in values.items()}
    _place(read)
    with because(reason, effective_on=valid_from):
        number = account_number or f"{next_account_number(town.code, kind):06d}"
        try:
            with transaction.atomic():
                made = Property.objects.create(town=town, kind=kind, account_number=number, **read)
        except IntegrityError as error:
            raise Invalid(f"Account {number} is taken, or a value breaks a rule of the record.") from error
        for id_type, value in (aliases or {}).items():
            set_alias(
                made.id, actor=actor, id_type=id_type, value=value, valid_from=valid_from, reason=reason
            )
    return made


def set_alias(
    property_id: UUID,
    *,
    actor: Actor,
    id_type: str,
    value: str,
    reason: str,
    valid_from: dt.date | None = None,
) -> PropertyAlias:
    """Give a property an outside identifier; the one of the same kind that was in use ends that day.

    The same identifier again changes nothing.
    """
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    if id_type not in PropertyAlias.IdType.values:
        raise Invalid(f"{id_type!r} is no kind of identifier.", id_type=id_type)
    begins = valid_from or timezone.localdate()
    open_rows = PropertyAlias.objects.filter(property_id=property_id, id_type=id_type, valid_to=None)
    held = {row.value: row for row in open_rows}
    if value in held:
        return held[value]
    with because(reason, effective_on=begins):
        PropertyAlias.objects.filter(id__in=[row.id for row in held.values()]).update(valid_to=begins)
        return PropertyAlias.objects.create(
            town_id=card.town_id, property_id=property_id, id_type=id_type, value=value, valid_from=begins
        )


def add_row(
    property_id: UUID,
    *,
    actor: Actor,
    target_kind: str,
    reason: str,
    effective_on: dt.date | None = None,
    row_id: UUID | None = None,
    **values: Any,
) -> models.Model:
    """Add a building, land line, section or feature to a card and return it.

    Raises
    ------
    NotFound, Forbidden, Invalid
        No such card; not allowed; a value does not fit or breaks a rule of the record.
    """
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    with because(reason, effective_on=effective_on):
        row = insert_row(card, target_kind, values, row_id=row_id)
        raise_versions([property_id])
    return row


def insert_row(
    card: Property, target_kind: str, values: Mapping[str, Any], *, row_id: UUID | None = None
) -> models.Model:
    """Insert a row of a locked card inside an open reason; numbers of lines continue the card's own."""
    if target_kind == "property":
        raise Invalid("A card is no row of itself.")
    model = target_model(target_kind)
    read = {name: read_value(target_kind, name, value) for name, value in values.items()}
    number = next((name for name in ("building_number", "line_number") if name in _names(model)), None)
    if number is not None and number not in read:
        held = model._default_manager.filter(property_id=card.id).aggregate(highest=models.Max(number))
        read[number] = (held["highest"] or 0) + 1
    if sentence := broken_invariant(target_kind, read):
        raise Invalid(sentence)
    identity = {"id": row_id} if row_id else {}
    try:
        with transaction.atomic():
            return model._default_manager.create(
                town_id=card.town_id, property_id=card.id, **identity, **read
            )
    except IntegrityError as error:
        raise Invalid(f"The {target_kind.replace('_', ' ')} breaks a rule of the record.") from error


def update_row(
    property_id: UUID,
    *,
    actor: Actor,
    target_kind: str,
    target_id: UUID,
    reason: str,
    effective_on: dt.date | None = None,
    expected_version: int | None = None,
    **values: Any,
) -> models.Model:
    """Change fields of a card's row, as the office decided; values that are the same change nothing.

    Parameters
    ----------
    expected_version
        The version of the card that the person saw; `Conflict` when it has changed since.
    """
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    if expected_version is not None and expected_version != card.version:
        raise Conflict("The card was changed meanwhile: look at it again.", version=card.version)
    row = _row_of(card, target_kind, target_id)
    read = {name: read_value(target_kind, name, value) for name, value in values.items()}
    if target_kind == "property":
        _place(read)
    changed = {name: value for name, value in read.items() if getattr(row, name) != value}
    if not changed:
        return row
    for name, value in changed.items():
        setattr(row, name, value)
    after = {name: getattr(row, name) for name in changeable_fields(target_kind)}
    if sentence := broken_invariant(target_kind, after, changed=changed):
        raise Invalid(sentence)
    with because(reason, effective_on=effective_on):
        try:
            with transaction.atomic():
                type(row)._default_manager.filter(id=row.pk).update(**changed)
        except IntegrityError as error:
            raise Invalid("The change breaks a rule of the record.") from error
        raise_versions([property_id])
    return row


def remove_row(
    property_id: UUID,
    *,
    actor: Actor,
    target_kind: str,
    target_id: UUID,
    reason: str,
    effective_on: dt.date | None = None,
) -> None:
    """Take a row off a card (a building that was torn down); the journal keeps it."""
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    if target_kind == "property":
        raise Invalid("An account is retired, never removed.")
    row = _row_of(card, target_kind, target_id)
    with because(reason, effective_on=effective_on):
        delete_row(row)
        raise_versions([property_id])


def delete_row(row: models.Model) -> None:
    """Delete a row with the sections and features that stand on it."""
    for relation in ("sections", "features"):
        if hasattr(row, relation):
            getattr(row, relation).all().delete()
    type(row)._default_manager.filter(pk=row.pk).delete()


def retire_property(property_id: UUID, *, actor: Actor, retired_on: dt.date, reason: str) -> Property:
    """Close an account; it stays on record and on every list on which it was."""
    row = update_row(
        property_id, actor=actor, target_kind="property", target_id=property_id, reason=reason,
        effective_on=retired_on, is_retired=True, retired_on=retired_on,
    )  # fmt: skip
    assert isinstance(row, Property)
    return row


def _row_of(card: Property, target_kind: str, target_id: UUID) -> models.Model:
    if target_kind == "property":
        if target_id != card.id:
            raise NotFound("There is no such row on the card.")
        return card
    row = target_model(target_kind)._default_manager.filter(id=target_id, property_id=card.id).first()
    if row is None:
        raise NotFound("There is no such row on the card.")
    return row


def _place(values: dict[str, Any]) -> None:
    """Fill number and street from a new address, unless they are given."""
    if address := values.get("address"):
        parts = split_address(address)
        values.setdefault("address_number", parts.number[:20])
        values.setdefault("street_name", parts.street[:100])


def _names(model: type[models.Model]) -> set[str]:
    return {field.attname for field in model._meta.concrete_fields}
