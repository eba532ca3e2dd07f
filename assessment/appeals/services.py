"""Appeals to the board of assessment appeals: petition, hearing, decision. A change becomes an instrument."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone

from assessment.appeals.errors import (
    MustBeHeard,
    NoticeTooShort,
    PetitionClosed,
    PetitionExists,
    PetitionLate,
)
from assessment.appeals.models import Decision, Hearing, Petition
from assessment.appeals.rules import is_told_in_time, may_elect_not_to_hear, petition_deadline
from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import Forbidden, Invalid
from assessment.region.rules import Permission
from assessment.roll.models import GrandList, Instrument
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.services.instruments import issue_instrument
from assessment.roll.services.locking import lock_signed
from assessment.roll.services.standings import changes_to, get_standing

OPEN_STATES = (Petition.State.RECEIVED, Petition.State.SCHEDULED)


@transaction.atomic
def receive_petition(
    grand_list: GrandList,
    *,
    actor: Actor,
    subject: Property,
    received_on: dt.date,
    petitioner: str,
    send_to: str = "",
    claimed_value: int | None = None,
    grounds: str = "",
) -> Petition:
    """Take in a written petition about one account of a signed list; its number is given by the server.

    Raises
    ------
    ListNotSigned, NotFound
        There is nothing to appeal from: the list is not signed, or the property not on it.
    PetitionLate
        It came after the last day (20 February, or 20 March where the signing was extended).
    PetitionExists
        The board has one about this account.
    """
    _require_clerk_of_the_board(actor, grand_list.town_id)
    locked = lock_signed(grand_list)
    get_standing(locked, subject)
    days = parameter("petition_deadline").on(locked.assessment_on).value
    last_on = petition_deadline(locked.year, days, extended=locked.is_signing_extended)
    if received_on > last_on:
        raise PetitionLate(f"It came on {received_on}; the last day was {last_on}.", last_on=str(last_on))
    if not petitioner.strip():
        raise Invalid("A petition names the petitioner.")
    if Petition.objects.filter(grand_list=locked, property=subject).exists():
        raise PetitionExists(f"There is a petition about {subject.account_number} already.")
    number = Petition.objects.filter(grand_list=locked).count() + 1  # the list is locked: no two get the same
    return Petition.objects.create(
        town_id=locked.town_id, grand_list=locked, property=subject, received_on=received_on,
        petition_number=f"A-{locked.year}-{number:04d}", petitioner=petitioner.strip(), send_to=send_to,
        claimed_value=claimed_value, grounds=grounds, made_by_id=actor.person_id,
    )  # fmt: skip


@transaction.atomic
def schedule_hearing(
    petition: Petition, *, actor: Actor, starts_at: dt.datetime, place: str, notified_on: dt.date
) -> Hearing:
    """Set a hearing and say when the petitioner was told of it.

    Raises
    ------
    PetitionClosed
        The petition is closed.
    NoticeTooShort
        Told less than the days of law before the hearing.
    """
    _require_clerk_of_the_board(actor, petition.town_id)
    locked = _lock_open(petition)
    days = parameter("hearing_notice_days").on(locked.grand_list.assessment_on).value
    hearing_on = timezone.localdate(starts_at)
    if not is_told_in_time(notified_on, hearing_on, days):
        raise NoticeTooShort(f"The petitioner is told at least {days} days before; {hearing_on} is too soon.")
    hearing = Hearing.objects.create(
        town_id=locked.town_id, petition=locked, starts_at=starts_at, place=place, notified_on=notified_on
    )
    _move(locked, Petition.State.SCHEDULED)
    return hearing


@transaction.atomic
def elect_not_to_hear(petition: Petition, *, actor: Actor) -> Petition:
    """Decline to hear a petition on large commercial, industrial, utility or apartment property, CGS 12-111.

    Raises
    ------
    MustBeHeard
        The property is of another class, or not assessed above the amount of law.
    """
    actor.require(Permission.DECIDE_APPEALS, petition.town_id)
    locked = _lock_open(petition)
    standing = get_standing(locked.grand_list, locked.property)
    codes = abstract_codes()
    kind = locked.grand_list.kind
    classes = {
        codes.detail(kind, code).state_class
        for (section, code), amount in standing.amounts.items()
        if section == "assessed" and amount
    }
    threshold = parameter("elect_not_to_hear").on(locked.grand_list.assessment_on).value
    if not may_elect_not_to_hear(classes, standing.gross, threshold):
        raise MustBeHeard(
            f"Only business property assessed above ${threshold:,} need not be heard; this is ${standing.gross:,}."
        )
    return _move(locked, Petition.State.NOT_HEARD)


@transaction.atomic
def withdraw_petition(petition: Petition, *, actor: Actor) -> Petition:
    """Note that the petitioner withdrew."""
    _require_clerk_of_the_board(actor, petition.town_id)
    return _move(_lock_open(petition), Petition.State.WITHDRAWN)


@transaction.atomic
def decide_petition(
    petition: Petition,
    *,
    actor: Actor,
    decided_on: dt.date,
    explanation: str,
    lines_after: Mapping[str, tuple[int, int]] | None = None,
) -> Decision:
    """Record the board's decision; a change is made by an instrument, and the signed list stays.

    Parameters
    ----------
    lines_after
        Appraised and assessed dollars of each detail code that the board changed; None for no change.

    Raises
    ------
    Forbidden
        The actor is no member of the board.
    PetitionClosed
        It is decided, withdrawn or not heard.
    Invalid
        Codes are given and nothing differs from the list.
    """
    actor.require(Permission.DECIDE_APPEALS, petition.town_id)
    locked = _lock_open(petition)
    instrument = None
    if lines_after:
        standing = get_standing(locked.grand_list, locked.property)
        instrument = issue_instrument(
            locked.grand_list, actor=actor, kind=Instrument.Kind.BOARD, subject=locked.property,
            changes=changes_to(standing, lines_after), dated_on=decided_on,
            explanation=f"{locked.petition_number}: {explanation}"[:400],
        )  # fmt: skip
    decision = Decision.objects.create(
        town_id=locked.town_id, petition=locked, decided_on=decided_on, instrument=instrument,
        outcome=Decision.Outcome.CHANGED if instrument else Decision.Outcome.UNCHANGED,
        explanation=explanation, made_by_id=actor.person_id,
    )  # fmt: skip
    Hearing.objects.filter(petition=locked, held=False, starts_at__date__lte=decided_on).update(held=True)
    _move(locked, Petition.State.DECIDED)
    return decision


def _require_clerk_of_the_board(actor: Actor, town_code: int) -> None:
    """The office and the board's members both take in petitions; only members decide them."""
    if not (actor.may(Permission.EDIT_LIST, town_code) or actor.may(Permission.DECIDE_APPEALS, town_code)):
        raise Forbidden("Petitions are taken in by the office or by a member of the board.")


def _lock_open(petition: Petition) -> Petition:
    locked = (
        Petition.objects.select_for_update(of=("self",))
        .select_related("grand_list", "property")
        .get(pk=petition.pk)
    )
    if locked.state not in OPEN_STATES:
        raise PetitionClosed(f"{locked.petition_number} is closed: {locked.get_state_display().lower()}.")
    return locked


def _move(petition: Petition, state: Petition.State) -> Petition:
    petition.state = state
    petition.save(update_fields=["state"])
    return petition
