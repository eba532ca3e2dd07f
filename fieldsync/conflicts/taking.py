"""Taking the other value of something that was merged without asking."""

from __future__ import annotations

from uuid import UUID

from assessment.property.models import Observation
from assessment.property.services import update_row
from assessment.property.services.locks import lock_property
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.rules import Permission
from fieldsync.conflicts.merged import Merged, get_merged


def take_value(observation_id: UUID, *, actor: Actor, side: str, reason: str) -> Merged:
    """Set a field to what the office had or to what the field saw, whichever is not on record.

    What was on record stays in its history, with the reason; taking the other side again goes back.

    Parameters
    ----------
    side
        ``office`` or ``field``.

    Raises
    ------
    NotFound, Forbidden
        Not in scope; the actor may not accept what was seen, or not change the record.
    Invalid
        No reason, or the journal does not tell what the office had.
    """
    if not reason.strip():
        raise Invalid("A decision needs a reason.")
    row = Observation.objects.filter(id=observation_id).first()
    if row is None:
        raise NotFound("There is nothing of that id that was merged without asking.")
    actor.require(Permission.ACCEPT_OBSERVATIONS, row.town_id)
    lock_property(row.property_id)
    merged = get_merged(row.town_id, observation_id)
    if side not in ("office", "field"):
        raise Invalid("Choose the office's value or the field's.")
    if side == "office" and not merged.is_office_known:
        raise Invalid("The journal does not tell what the office had.")
    update_row(
        row.property_id,
        actor=actor,
        target_kind=row.target_kind,
        target_id=row.target_id,
        reason=reason,
        **{row.field: merged.office if side == "office" else merged.field},
    )
    return get_merged(row.town_id, observation_id)
