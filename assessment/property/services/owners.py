"""Who owns what, from when, and whose address must not be shown."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from assessment.property.models import ConfidentialityRequest, Owner, Ownership
from assessment.property.services.locks import lock_property, raise_versions
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.rules import Permission
from assessment.region.scope import because


def transfer_ownership(
    property_id: UUID,
    *,
    actor: Actor,
    name: str,
    transferred_on: dt.date,
    reason: str,
    book_page: str = "",
    **owner_values: Any,
) -> Ownership:
    """Give a property a new owner from a day on; the owners until then end that day.

    Parameters
    ----------
    owner_values
        Further fields of `Owner`: co_name, mailing_address, mailing_city, mailing_state, mailing_zip.

    Raises
    ------
    Invalid
        The day is before the present owner's first.
    """
    card = lock_property(property_id)
    actor.require(Permission.EDIT_RECORD, card.town_id)
    if not name.strip():
        raise Invalid("An owner needs a name.")
    present = list(Ownership.objects.filter(property_id=property_id, valid_to=None))
    if any(row.valid_from > transferred_on for row in present):
        raise Invalid("The present owner began later than that day.", transferred_on=str(transferred_on))
    with because(reason, effective_on=transferred_on):
        Ownership.objects.filter(id__in=[row.id for row in present]).update(valid_to=transferred_on)
        owner = Owner.objects.create(town_id=card.town_id, name=name.strip(), **owner_values)
        ownership = Ownership.objects.create(
            town_id=card.town_id,
            property_id=property_id,
            owner=owner,
            valid_from=transferred_on,
            book_page=book_page,
        )
        raise_versions([property_id])
    return ownership


def record_confidentiality(
    owner_id: UUID, *, actor: Actor, requested_on: dt.date, agency: str, ends_on: dt.date | None = None
) -> ConfidentialityRequest:
    """Keep a person's residential address confidential (CGS 1-217), on request, from a day until another.

    Every ownership of the person that is open is flagged; the same request again changes nothing.
    """
    owner = Owner.objects.filter(id=owner_id).first()
    if owner is None:
        raise NotFound("There is no such owner.")
    actor.require(Permission.EDIT_RECORD, owner.town_id)
    with because("request under CGS 1-217", effective_on=requested_on):
        request, _ = ConfidentialityRequest.objects.get_or_create(
            town_id=owner.town_id,
            owner=owner,
            requested_on=requested_on,
            defaults={"agency": agency, "ends_on": ends_on},
        )
        open_rows = Ownership.objects.filter(owner=owner, valid_to=None, is_confidential=False)
        touched = list(open_rows.values_list("property_id", flat=True))
        open_rows.update(is_confidential=True)
        raise_versions(touched)
    return request
