"""Putting values and exemptions on an open list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from assessment.property.models import Property
from assessment.region.actors import Actor
from assessment.region.errors import NotFound
from assessment.region.ids import new_id
from assessment.region.rules import Permission
from assessment.roll.errors import (
    GeneralRevaluationRefused,
    ReasonRequired,
    UnknownRollCode,
    WrongSchedules,
)
from assessment.roll.models import Assessment, ChangeReason, GrandList
from assessment.roll.models.lists import INTERIM_REASONS
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.rules.codes import UnknownCodeError
from assessment.roll.rules.rounding import assess
from assessment.roll.selectors import Listing, list_listings
from assessment.roll.services.locking import lock_unsigned
from assessment.roll.services.rows import insert_rows


@dataclass(frozen=True, slots=True)
class PostedLine:
    """A component to post. Without `assessed` it is the list's ratio of `appraised`, rounded by its policy."""

    detail_code: str
    appraised: int
    assessed: int | None = None
    quantity: Decimal | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an account changes: a kind of `ChangeReason`, its day, and where the value came from."""

    kind: str
    dated_on: dt.date
    explanation: str = ""
    permit_id: UUID | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """All components of one property, which replace those it has."""

    property_id: UUID
    lines: tuple[PostedLine, ...]
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class PostingReport:
    """What a posting did: accounts changed, left as they were, and added; dollars before and after."""

    changed: int
    unchanged: int
    added: int
    gross_before: int
    gross_after: int


def assessment_ratio(on: dt.date) -> Fraction:
    """Return the ratio of assessed to appraised value in force on an assessment date."""
    return Fraction(parameter("assessment_ratio").on(on).value)


def post_assessment_lines(
    grand_list: GrandList,
    *,
    actor: Actor,
    subject: Property,
    lines: Sequence[PostedLine],
    reason: Reason | None,
    schedules_of: dt.date | None = None,
) -> Assessment:
    """Replace the components of one property on an open list and keep why. See `post_assessments`."""
    post_assessments(
        grand_list,
        actor=actor,
        postings=[Posting(subject.pk, tuple(lines), reason)],
        schedules_of=schedules_of,
    )
    return Assessment.objects.get(grand_list=grand_list, property=subject)


@transaction.atomic
def post_assessments(
    grand_list: GrandList,
    *,
    actor: Actor,
    postings: Iterable[Posting],
    schedules_of: dt.date | None = None,
) -> PostingReport:
    """Replace the components of many properties on an open list, all or none, and keep why each changed.

    Postings that change nothing leave no trace, so the same postings may be sent twice. A property that is
    not on the list yet is added as it is listed on the assessment date.

    Parameters
    ----------
    schedules_of
        The revaluation whose schedules made the values; on an interim list it must be the base one.

    Raises
    ------
    ListSigned
        The list is signed.
    ReasonRequired
        A change of a list that is no revaluation has no dated reason that an interim year allows.
    GeneralRevaluationRefused
        The reason given for a change of such a list is a revaluation.
    WrongSchedules
        The values were made at other schedules than the base revaluation's.
    UnknownRollCode
        A detail code is not in the state's table for this kind of list.
    """
    actor.require(Permission.EDIT_LIST, grand_list.town_id)
    locked = lock_unsigned(grand_list)
    if locked.basis != GrandList.Basis.REVALUATION and schedules_of not in (None, locked.base_revaluation_on):
        raise WrongSchedules(
            f"An interim list is valued at the schedules of {locked.base_revaluation_on}, not {schedules_of}."
        )
    wanted = {posting.property_id: posting for posting in postings}
    ids, added = _assessment_ids(locked, list(wanted))
    current = _current_lines(locked, [ids[key] for key in wanted])
    changed = []
    for key, posting in wanted.items():
        new = _assessed_lines(locked, posting.lines)
        if new != current.get(ids[key], []) or key in added:
            _check_reason(locked, posting)
            changed.append((ids[key], posting, new))
    _write(changed, locked, actor, current)
    return PostingReport(
        changed=len(changed),
        unchanged=len(wanted) - len(changed),
        added=len(added),
        gross_before=sum(_gross(current.get(item[0], [])) for item in changed),
        gross_after=sum(_gross(item[2]) for item in changed),
    )


Row = tuple[str, Decimal | None, str, int, int]
_LINE_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "assessment_id": "uuid", "line_number": "smallint", "detail_code": "text",
    "quantity": "numeric", "unit": "text", "appraised": "bigint", "assessed": "bigint",
}  # fmt: skip
_REASON_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "assessment_id": "uuid", "kind": "text", "dated_on": "date",
    "explanation": "text", "permit_id": "uuid", "source": "text", "gross_before": "bigint",
    "gross_after": "bigint", "made_at": "timestamptz", "made_by_id": "uuid",
}  # fmt: skip
_ASSESSMENT_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "grand_list_id": "uuid", "property_id": "uuid", "list_number": "text",
    "account": "text", "owner": "text", "co_owner": "text", "mailing_address": "text", "location": "text",
    "is_confidential": "boolean", "exempt_code": "text",
}  # fmt: skip


def _gross(rows: Sequence[Row]) -> int:
    return sum(row[4] for row in rows)


def _assessed_lines(grand_list: GrandList, lines: Sequence[PostedLine]) -> list[Row]:
    codes = abstract_codes()
    for line in lines:
        try:
            codes.detail(grand_list.kind, line.detail_code)
        except UnknownCodeError as error:
            raise UnknownRollCode(f"{error}.", detail_code=line.detail_code) from error
    computed = assess(
        [line.appraised for line in lines], assessment_ratio(grand_list.assessment_on), grand_list.rounding
    )
    return [
        (
            line.detail_code,
            None if line.quantity is None else line.quantity.quantize(Decimal("0.0001")),
            line.unit,
            line.appraised,
            amount if line.assessed is None else line.assessed,
        )
        for line, amount in zip(lines, computed, strict=True)
    ]


def _check_reason(grand_list: GrandList, posting: Posting) -> None:
    if grand_list.basis == GrandList.Basis.REVALUATION:
        return
    if posting.reason is None:
        raise ReasonRequired(
            f"A change on the {grand_list} needs a dated reason: permit, new construction, demolition, split, "
            "correction, exemption or use value.",
            property_id=str(posting.property_id),
        )
    if posting.reason.kind == ChangeReason.Kind.REVALUATION:
        raise GeneralRevaluationRefused(
            f"The {grand_list} is no revaluation: its values stand until 1 October of the next one."
        )
    if posting.reason.kind not in INTERIM_REASONS:
        raise ReasonRequired(f"'{posting.reason.kind}' is no reason for a change in an interim year.")


def _assessment_ids(grand_list: GrandList, keys: list[UUID]) -> tuple[dict[UUID, UUID], set[UUID]]:
    found = dict(
        Assessment.objects.filter(
            town_id=grand_list.town_id, grand_list=grand_list, property_id__in=keys
        ).values_list("property_id", "id")
    )
    missing = [key for key in keys if key not in found]
    if not missing:
        return found, set()
    listings = list_listings(grand_list.town_id, grand_list.kind, on=grand_list.assessment_on, only=missing)
    unknown = set(missing) - {listing.property_id for listing in listings}
    if unknown:
        raise NotFound(f"{len(unknown)} of the properties cannot stand on the {grand_list}.")
    return found | add_accounts(grand_list, listings), set(missing)


def add_accounts(grand_list: GrandList, listings: Iterable[Listing]) -> dict[UUID, UUID]:
    """Insert accounts for properties as they are listed; return the account's id by property."""
    made = [(new_id(), listing) for listing in listings]
    insert_rows(
        Assessment._meta.db_table,
        _ASSESSMENT_COLUMNS,
        (
            (
                key, grand_list.town_id, grand_list.pk, listing.property_id, "", listing.account, listing.owner,
                listing.co_owner, listing.mailing_address, listing.location, listing.is_confidential,
                listing.exempt_code,
            )
            for key, listing in made
        ),
    )  # fmt: skip
    return {listing.property_id: key for key, listing in made}


def _current_lines(grand_list: GrandList, ids: list[UUID]) -> dict[UUID, list[Row]]:
    current: dict[UUID, list[Row]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT assessment_id, detail_code, quantity, unit, appraised, assessed "
            "FROM assessment_assessmentline WHERE town_id = %s AND assessment_id = ANY (%s) "
            "ORDER BY assessment_id, line_number",
            [grand_list.town_id, ids],
        )
        for key, *row in cursor.fetchall():
            current.setdefault(key, []).append(tuple(row))
    return current


def _write(
    changed: Sequence[tuple[UUID, Posting, list[Row]]],
    grand_list: GrandList,
    actor: Actor,
    current: dict[UUID, list[Row]],
) -> None:
    replaced = [key for key, _, _ in changed if key in current]
    if replaced:
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM assessment_assessmentline WHERE town_id = %s AND assessment_id = ANY (%s)",
                [grand_list.town_id, replaced],
            )
    insert_lines(grand_list, ((key, rows) for key, _, rows in changed))
    now = timezone.now()
    general = Reason(ChangeReason.Kind.REVALUATION, grand_list.assessment_on)
    insert_rows(
        ChangeReason._meta.db_table,
        _REASON_COLUMNS,
        (
            (
                new_id(), grand_list.town_id, key, reason.kind, reason.dated_on, reason.explanation,
                reason.permit_id, reason.source, _gross(current.get(key, [])), _gross(rows), now, actor.person_id,
            )
            for key, posting, rows in changed
            for reason in [posting.reason or general]
        ),
    )  # fmt: skip


def insert_lines(grand_list: GrandList, accounts: Iterable[tuple[UUID, Sequence[Row]]]) -> int:
    """Insert the components of accounts that have none; return how many lines."""
    return insert_rows(
        "assessment_assessmentline",
        _LINE_COLUMNS,
        (
            (new_id(), grand_list.town_id, key, number, *row)
            for key, rows in accounts
            for number, row in enumerate(rows, start=1)
        ),
    )
