"""Exemptions of accounts on an open list: partial ones by amount, whole ones by the state's code."""

from __future__ import annotations

from django.db import transaction

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.rules import Permission
from assessment.roll.errors import ReasonRequired, UnknownRollCode
from assessment.roll.models import Assessment, ChangeReason, Exemption, GrandList
from assessment.roll.models.lists import INTERIM_REASONS
from assessment.roll.parameters import abstract_codes
from assessment.roll.rules.codes import UnknownCodeError
from assessment.roll.services.locking import lock_unsigned
from assessment.roll.services.posting import Reason


@transaction.atomic
def set_exemption(
    grand_list: GrandList,
    *,
    actor: Actor,
    subject: Property,
    code: str,
    amount: int,
    statute: str = "",
    reason: Reason,
) -> Exemption | None:
    """Grant an exemption to an account of an open list, change it, or (amount 0) take it away.

    Raises
    ------
    ListSigned, NotFound, ReasonRequired
        The list is signed; the property is not on it; the reason is of a wrong kind.
    """
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    if amount < 0 or not code.strip():
        raise UnknownRollCode("An exemption has a code and an amount of zero or more.")
    locked = lock_unsigned(grand_list)
    assessment = Assessment.objects.filter(grand_list=locked, property=subject).first()
    if assessment is None:
        raise NotFound("The property is not on this list.")
    if reason.kind not in INTERIM_REASONS:
        raise ReasonRequired("An exemption is set for a dated reason: exemption, correction or use value.")
    gross = sum(assessment.lines.values_list("assessed", flat=True))
    ChangeReason.objects.create(
        town_id=locked.town_id, assessment=assessment, kind=reason.kind, dated_on=reason.dated_on,
        explanation=reason.explanation or f"{code} {amount:,}", source=reason.source, permit_id=reason.permit_id,
        gross_before=gross, gross_after=gross, made_by_id=actor.person_id,
    )  # fmt: skip
    if amount == 0:
        assessment.exemptions.filter(code=code).delete()
        return None
    exemption, _ = Exemption.objects.update_or_create(
        town_id=locked.town_id,
        assessment=assessment,
        code=code,
        defaults={"amount": amount, "statute": statute, "granted_on": reason.dated_on},
    )
    return exemption


@transaction.atomic
def set_exempt_code(
    grand_list: GrandList, *, actor: Actor, subject: Property, exempt_code: str, reason: Reason
) -> Assessment:
    """Make an account of an open list wholly exempt under a four-letter code, or (empty) taxable again.

    Raises
    ------
    ListSigned, NotFound, ReasonRequired
        As `set_exemption` says.
    UnknownRollCode
        The code is not in the state's table; or the account's lines have no detail codes yet, so that
        nobody could say in which class it is taxed.
    """
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    locked = lock_unsigned(grand_list)
    assessment = Assessment.objects.filter(grand_list=locked, property=subject).first()
    if assessment is None:
        raise NotFound("The property is not on this list.")
    if reason.kind not in INTERIM_REASONS:
        raise ReasonRequired("An account becomes exempt or taxable for a dated reason.")
    codes = abstract_codes()
    try:
        if exempt_code:
            codes.exempt_label(exempt_code)
        else:
            for code in assessment.lines.values_list("detail_code", flat=True):
                codes.detail(locked.kind, code)
    except UnknownCodeError as error:
        raise UnknownRollCode(f"{error}.") from error
    gross = sum(assessment.lines.values_list("assessed", flat=True))
    ChangeReason.objects.create(
        town_id=locked.town_id, assessment=assessment, kind=reason.kind, dated_on=reason.dated_on,
        explanation=reason.explanation or f"exempt code {exempt_code or 'taken away'}", source=reason.source,
        permit_id=reason.permit_id, gross_before=gross, gross_after=gross, made_by_id=actor.person_id,
    )  # fmt: skip
    assessment.exempt_code = exempt_code
    assessment.save(update_fields=["exempt_code"])
    return assessment
