"""What a person decides about a transfer; it stands over what the machine suggests."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.rules import Permission
from assessment.region.scope import because
from assessment.sales.errors import (
    TransferDecisionNeedsReason,
    TransferNotDecided,
    TransferNotFound,
    TransferPropertyUnknown,
)
from assessment.sales.models import Transfer
from assessment.sales.rules.validity import Validity

_SURE = 100


def decide_validity(
    transfer_id: UUID, *, actor: Actor, validity: str, reason: str, decided_at: dt.datetime
) -> Transfer:
    """Decide what a transfer may be used for; later imports leave the decision alone.

    Raises
    ------
    TransferNotFound
        No such transfer in the towns in scope.
    TransferDecisionNeedsReason
        The reason is blank, or the validity is none of `Validity`.
    Forbidden
        The actor may not decide sales in the town.
    """
    reason = reason.strip()
    if not reason or validity not in set(Validity):
        raise TransferDecisionNeedsReason(
            f"Give one of {', '.join(Validity)}, and the reason in words.", validity=validity
        )
    transfer = _locked(transfer_id, actor)
    transfer.decided_validity, transfer.decided_reason = Validity(validity).value, reason[:400]
    transfer.decided_by_id, transfer.decided_at = actor.person_id, decided_at
    return _save(transfer, reason, "decided_validity", "decided_reason", "decided_by_id", "decided_at")


def withdraw_decision(transfer_id: UUID, *, actor: Actor, reason: str) -> Transfer:
    """Take a decision back; the machine's suggestion is in force again, and the journal keeps the decision.

    Raises
    ------
    TransferNotDecided
        There is no decision.
    """
    transfer = _locked(transfer_id, actor)
    if not transfer.decided_validity:
        raise TransferNotDecided()
    transfer.decided_validity, transfer.decided_reason = "", ""
    transfer.decided_by_id, transfer.decided_at = None, None
    return _save(transfer, reason, "decided_validity", "decided_reason", "decided_by_id", "decided_at")


def give_property(transfer_id: UUID, *, actor: Actor, property_id: UUID, reason: str) -> Transfer:
    """Give a transfer its property by hand; later imports leave it there.

    Raises
    ------
    TransferPropertyUnknown
        The transfer's town has no such property.
    TransferDecisionNeedsReason
        The reason is blank.
    """
    if not reason.strip():
        raise TransferDecisionNeedsReason("Say why the sale is of this property.")
    transfer = _locked(transfer_id, actor)
    if not Property.objects.filter(id=property_id, town_id=transfer.town_id).exists():
        raise TransferPropertyUnknown(property_id=str(property_id))
    transfer.property_id, transfer.complex_id = property_id, None
    transfer.match_method = Transfer.BY_HAND
    transfer.match_score, transfer.match_reason, transfer.match_note = _SURE, "", reason.strip()[:200]
    return _save(
        transfer,
        reason,
        "property_id",
        "complex_id",
        "match_method",
        "match_score",
        "match_reason",
        "match_note",
    )


def _locked(transfer_id: UUID, actor: Actor) -> Transfer:
    """Return the row locked, so that two deciders do not overwrite each other unseen."""
    transfer = Transfer.objects.select_for_update().filter(id=transfer_id).first()
    if transfer is None:
        raise TransferNotFound(transfer_id=str(transfer_id))
    actor.require(Permission.DECIDE_SALES, transfer.town_id)
    return transfer


def _save(transfer: Transfer, reason: str, *fields: str) -> Transfer:
    with because(reason.strip()):
        transfer.save(update_fields=fields)
    transfer.refresh_from_db()
    return transfer
