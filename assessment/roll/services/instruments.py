"""Changes after the signing: dated instruments. The snapshot stays untouched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import Invalid, NotFound
from assessment.region.rules import Permission
from assessment.roll.errors import BelowZero, UnknownRollCode
from assessment.roll.models import GrandList, Instrument, InstrumentLine
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.rules.codes import UnknownCodeError
from assessment.roll.rules.numbering import list_number
from assessment.roll.rules.proration import prorated_change
from assessment.roll.selectors import (
    list_instrument_lines,
    list_listings,
)
from assessment.roll.services.locking import lock_signed
from assessment.roll.services.standings import Change, Standing, changes_to, find_standing, get_standing

Kind = Instrument.Kind
STATUTES = {
    Kind.CORRECTION: "12-60",
    Kind.PRORATION: "12-53a",
    Kind.OMITTED: "12-53",
    Kind.BOARD: "12-111",
    Kind.COURT: "12-117a",
}
_LETTERS = {Kind.CORRECTION: "C", Kind.PRORATION: "P", Kind.OMITTED: "O", Kind.BOARD: "B", Kind.COURT: "J"}


@transaction.atomic
def issue_instrument(
    grand_list: GrandList,
    *,
    actor: Actor,
    kind: str,
    subject: Property,
    changes: Sequence[Change],
    dated_on: dt.date,
    explanation: str,
    statute: str = "",
    carries_forward: bool | None = None,
) -> Instrument:
    """Issue a dated instrument that changes one account of a signed list.

    Parameters
    ----------
    changes
        More or fewer dollars by section and code.
    carries_forward
        Whether the next list starts from it; by default all but prorations do.

    Raises
    ------
    ListNotSigned
        The list is not signed.
    BelowZero
        A code, or the net, would fall below zero.
    UnknownRollCode
        A code stands in no table.
    NotFound
        The property is not on the list, and the instrument is not for an omitted one.
    Invalid
        Nothing changes, the account would be wholly exempt property in part only, or the day or the explanation is missing or before the assessment date.
    """
    permission = Permission.DECIDE_APPEALS if kind == Kind.BOARD else Permission.CORRECT_LIST
    actor.require(permission, grand_list.town_id)
    locked = lock_signed(grand_list)
    wanted = [change for change in changes if change.amount or change.appraised]
    _check(locked, kind, wanted, dated_on, explanation)
    before = [line for line in list_instrument_lines(locked) if line.property_id == str(subject.pk)]
    standing = find_standing(locked, subject, before) or _omitted(locked, kind, subject)
    counts = _count_changes(standing, wanted)
    for change in wanted:
        standing.add(change.section, change.code, change.amount, change.appraised)
    if standing.net < 0 or min(standing.amounts.values()) < 0 or min(standing.appraised.values()) < 0:
        raise BelowZero(f"{standing.account} would be left with less than nothing in a code, or net.")
    if standing.total("assessed") and standing.total("exempt_property"):
        raise Invalid(
            f"{standing.account} would be exempt property in part: an account is wholly exempt, or has exemptions."
        )
    instrument = Instrument.objects.create(
        town_id=locked.town_id, grand_list=locked, property=subject, kind=kind, number=_next_number(locked, kind),
        dated_on=dated_on, list_number=standing.list_number, account=standing.account, owner=standing.owner,
        location=standing.location, statute=statute or STATUTES[Kind(kind)], explanation=explanation.strip(),
        carries_forward=kind != Kind.PRORATION if carries_forward is None else carries_forward,
        made_by_id=actor.person_id,
    )  # fmt: skip
    InstrumentLine.objects.bulk_create(
        InstrumentLine(
            town_id=locked.town_id, instrument=instrument, line_number=number, section=change.section,
            code=change.code, appraised_change=change.appraised, amount_change=change.amount,
            count_change=counts[number - 1],
        )
        for number, change in enumerate(wanted, start=1)
    )  # fmt: skip
    return instrument


def certificate_of_correction(
    grand_list: GrandList,
    *,
    actor: Actor,
    subject: Property,
    lines_after: Mapping[str, tuple[int, int]],
    dated_on: dt.date,
    explanation: str,
) -> Instrument:
    """Correct an account to what it should have been, CGS 12-60.

    Parameters
    ----------
    lines_after
        Appraised and assessed dollars of each detail code that the account should have; codes left out
        stay as they are, (0, 0) takes one away.
    """
    standing = get_standing(grand_list, subject)
    return issue_instrument(
        grand_list, actor=actor, kind=Kind.CORRECTION, subject=subject,
        changes=changes_to(standing, lines_after), dated_on=dated_on, explanation=explanation,
    )  # fmt: skip


def prorate_new_construction(
    grand_list: GrandList,
    *,
    actor: Actor,
    subject: Property,
    code: str,
    assessed_before: int,
    assessed_after: int,
    from_on: dt.date,
    dated_on: dt.date,
    explanation: str,
) -> Instrument:
    """Add (or for a demolition take off) the share of a change from a day to the next 1 October, CGS 12-53a."""
    basis = parameter("proration_basis").on(grand_list.assessment_on).value
    amount = prorated_change(assessed_before, assessed_after, from_on, basis=basis)
    return issue_instrument(
        grand_list, actor=actor, kind=Kind.PRORATION, subject=subject,
        changes=[Change("assessed", code, amount)], dated_on=dated_on, explanation=explanation,
        statute="12-53a" if amount >= 0 else "12-64a",
    )  # fmt: skip


def _check(
    grand_list: GrandList, kind: str, changes: Sequence[Change], dated_on: dt.date, explanation: str
) -> None:
    if kind not in Kind.values:
        raise Invalid(f"An instrument is one of {', '.join(Kind.values)}, not {kind!r}.")
    if not changes:
        raise Invalid("The instrument changes nothing.")
    if not explanation.strip():
        raise Invalid("An instrument says why it was issued.")
    if dated_on < grand_list.assessment_on:
        raise Invalid(f"An instrument is dated on or after the assessment date {grand_list.assessment_on}.")
    codes = abstract_codes()
    for change in changes:
        try:
            if change.section == "assessed":
                codes.detail(grand_list.kind, change.code)
            elif change.section == "exempt_property":
                codes.exempt_label(change.code)
            elif change.section != "exemption":
                raise UnknownRollCode(f"{change.section!r} is no section of the abstract.")
        except UnknownCodeError as error:
            raise UnknownRollCode(f"{error}.") from error


def _omitted(grand_list: GrandList, kind: str, subject: Property) -> Standing:
    if kind != Kind.OMITTED:
        raise NotFound(
            f"{subject.account_number} is not on the {grand_list}: an omitted property is added as such."
        )
    listed = list_listings(
        grand_list.town_id, grand_list.kind, on=grand_list.assessment_on, only=[subject.pk]
    )
    if not listed:
        raise NotFound(f"{subject.account_number} cannot stand on the {grand_list}.")
    added = set(
        Instrument.objects.filter(grand_list=grand_list, kind=kind).values_list("list_number", flat=True)
    )
    place = grand_list.snapshot_rows.count() + len(added) + 1
    number = list_number(grand_list.year, grand_list.kind, place)
    return Standing(number, listed[0].account, listed[0].owner, listed[0].location)


def _count_changes(standing: Standing, changes: Sequence[Change]) -> list[int]:
    counts = []
    amounts = dict(standing.amounts)
    for change in changes:
        key = (change.section, change.code)
        before = amounts.get(key, 0)
        amounts[key] = before + change.amount
        counts.append(int(amounts[key] > 0) - int(before > 0))
    return counts


def _next_number(grand_list: GrandList, kind: str) -> str:
    """Return the next number of a kind; the list is locked, so two instruments never get the same."""
    given = Instrument.objects.filter(grand_list=grand_list, kind=kind).count()
    return f"{_LETTERS[Kind(kind)]}-{grand_list.year}-{given + 1:04d}"
