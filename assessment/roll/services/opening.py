"""Opening a grand list: by conversion, by rolling the last one forward, or for a revaluation."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from assessment.region.actors import Actor
from assessment.region.errors import Invalid
from assessment.region.ids import new_id
from assessment.region.models import Town
from assessment.region.rules import Permission
from assessment.region.selectors import find_policy
from assessment.roll.errors import ListExists, NothingToOpenFrom
from assessment.roll.models import GrandList
from assessment.roll.parameters import abstract_codes, parameter
from assessment.roll.rules.conversion import (
    Stated,
    TotalOnlyError,
    UnclassifiedError,
    convert,
    exempt_code_of,
)
from assessment.roll.rules.rounding import RoundingPolicy
from assessment.roll.selectors import (
    Listing,
    list_listings,
)
from assessment.roll.services.carrying import ExemptionRow, carried_exemptions, carried_lines
from assessment.roll.services.posting import Row, add_accounts, assessment_ratio, insert_lines
from assessment.roll.services.rows import insert_rows

_EXEMPTION_COLUMNS = {
    "id": "uuid", "town_id": "smallint", "assessment_id": "uuid", "code": "text", "amount": "bigint",
    "statute": "text", "granted_on": "date",
}  # fmt: skip


@dataclass(slots=True)
class OpeningReport:
    """What opening a list did, and which properties it left out, by reason and account number."""

    grand_list: GrandList
    accounts: int = 0
    lines: int = 0
    exemptions: int = 0
    gross: int = 0
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


@transaction.atomic
def open_grand_list(
    town: Town,
    *,
    actor: Actor,
    year: int,
    basis: str,
    kind: str = "real",
    base_revaluation_on: dt.date | None = None,
    rounding: RoundingPolicy | None = None,
    stated_basis: str = "card",
    stated_year: int | None = None,
    default_class: str = "",
) -> OpeningReport:
    """Open a town's list of a year, with every account that it starts from.

    Parameters
    ----------
    basis
        ``conversion`` (accounts from the stated values of `stated_year`, components by detail code),
        ``roll_forward`` (the last signed list with the instruments that carry forward, and its exemptions)
        or ``revaluation`` (every property, exemptions of the last list, values to be posted).
    base_revaluation_on
        The revaluation whose schedules hold. Taken from the last list when rolled forward, and the
        assessment date of a revaluation; a conversion must state it.
    rounding
        Otherwise the town's policy ``rounding``, else the default parameter.
    default_class
        Class of converted accounts that have none; without it they are left out and reported.

    Returns
    -------
    OpeningReport
        The list, open, and what was left out: ``not on the last list`` needs a dated reason to be added.

    Raises
    ------
    ListExists
        The town has this list.
    NothingToOpenFrom
        No signed list to roll forward, no stated values to convert, no property to revalue.
    """
    actor.require(Permission.EDIT_LIST, town.code)
    if GrandList.objects.filter(town=town, year=year, kind=kind).exists():
        raise ListExists(f"{town.name} has its {kind.replace('_', ' ')} list of {year} already.")
    previous = _last_signed(town, year, kind)
    on = dt.date(year, 10, 1)
    base = _base_revaluation(basis, on, previous, base_revaluation_on)
    policy = rounding or _rounding_policy(town, on)
    grand_list = GrandList.objects.create(
        town=town, year=year, kind=kind, basis=basis, base_revaluation_on=base,
        previous=previous if basis != GrandList.Basis.CONVERSION else None,
        rounding_unit=policy.unit, rounding_mode=policy.mode, rounding_level=policy.level,
        opened_by_id=actor.person_id, changed_at=timezone.now(),
    )  # fmt: skip
    report = OpeningReport(grand_list)
    listings = list_listings(town.code, kind, on=on)
    if basis == GrandList.Basis.CONVERSION:
        _convert(report, listings, stated_basis, stated_year or year, default_class)
    elif basis == GrandList.Basis.ROLL_FORWARD:
        _roll_forward(report, listings)
    else:
        _for_revaluation(report, listings)
    if not report.accounts:
        why = "; ".join(f"{len(accounts):,} {reason}" for reason, accounts in report.left_out.items())
        raise NothingToOpenFrom(
            f"{town.name} has no account for its list of {year}" + (f": {why}." if why else "."),
            **_counts(report),
        )
    return report


def _counts(report: OpeningReport) -> dict[str, int]:
    return {reason.replace(" ", "_"): len(accounts) for reason, accounts in report.left_out.items()}


def _last_signed(town: Town, year: int, kind: str) -> GrandList | None:
    lists = GrandList.objects.filter(town=town, kind=kind, year__lt=year).order_by("-year")
    return next((item for item in lists if item.is_signed), None)


def _base_revaluation(basis: str, on: dt.date, previous: GrandList | None, stated: dt.date | None) -> dt.date:
    if basis == GrandList.Basis.REVALUATION:
        return on
    if basis == GrandList.Basis.ROLL_FORWARD:
        if previous is None:
            raise NothingToOpenFrom("There is no signed list before this one to roll forward.")
        return previous.base_revaluation_on
    if basis != GrandList.Basis.CONVERSION:
        raise Invalid(f"A list is opened by conversion, roll_forward or revaluation, not {basis!r}.")
    if stated is None:
        raise Invalid("A conversion must say of which 1 October the values are (base revaluation).")
    return stated


def _rounding_policy(town: Town, on: dt.date) -> RoundingPolicy:
    stated: dict[str, Any] = find_policy(
        town.code, "rounding", on=on, default=parameter("rounding").on(on).value
    )
    return RoundingPolicy(int(stated["unit"]), stated["mode"], stated["level"])


def _write(
    report: OpeningReport,
    listings: Sequence[Listing],
    lines: dict[UUID, list[Row]],
    exemptions: dict[UUID, list[ExemptionRow]],
) -> None:
    grand_list = report.grand_list
    ids = add_accounts(grand_list, listings)
    report.accounts = len(ids)
    report.lines = insert_lines(grand_list, ((key, lines.get(item, [])) for item, key in ids.items()))
    report.gross = sum(row[4] for item in ids for row in lines.get(item, []))
    report.exemptions = insert_rows(
        "assessment_exemption",
        _EXEMPTION_COLUMNS,
        (
            (new_id(), grand_list.town_id, key, *row)
            for item, key in ids.items()
            for row in exemptions.get(item, [])
        ),
    )


def _roll_forward(report: OpeningReport, listings: Sequence[Listing]) -> None:
    previous = report.grand_list.previous
    assert previous is not None  # `_base_revaluation` refused
    lines, exempt_codes = carried_lines(previous)
    kept = []
    for listing in listings:
        if listing.property_id not in lines:
            report.left_out["not on the last list"].append(listing.account)
            continue
        kept.append(_with_exempt_code(listing, exempt_codes[listing.property_id]))
    gone = set(lines) - {listing.property_id for listing in kept}
    report.left_out["retired since the last list"].extend(sorted(str(item) for item in gone))
    _write(report, kept, lines, carried_exemptions(previous))


def _for_revaluation(report: OpeningReport, listings: Sequence[Listing]) -> None:
    previous = report.grand_list.previous
    _write(report, listings, {}, carried_exemptions(previous) if previous else {})


def _with_exempt_code(listing: Listing, code: str) -> Listing:
    return Listing(
        listing.property_id, listing.account, listing.owner, listing.co_owner, listing.mailing_address,
        listing.location, listing.is_confidential, code,
    )  # fmt: skip


def _convert(
    report: OpeningReport, listings: Sequence[Listing], stated_basis: str, year: int, default_class: str
) -> None:
    grand_list = report.grand_list
    stated, exemptions = stated_values(grand_list.town_id, stated_basis, year)
    if not stated:
        raise NothingToOpenFrom(
            f"No values of {year} are stated ('{stated_basis}'): import the town's list first."
        )
    classes = _classes(grand_list.town_id)
    codes, ratio = abstract_codes(), assessment_ratio(grand_list.assessment_on)
    lines: dict[UUID, list[Row]] = {}
    kept = []
    for listing in listings:
        values = stated.get(listing.property_id)
        if values is None:
            report.left_out["without a stated value"].append(listing.account)
            continue
        state_class, use_code = classes[listing.property_id]
        exempt = exempt_code_of(listing.exempt_code, state_class, use_code)
        try:
            converted = convert(
                values, codes=codes, kind=grand_list.kind, state_class=state_class or default_class,
                exempt_code=exempt, ratio=ratio, policy=grand_list.rounding,
            )  # fmt: skip
        except TotalOnlyError:
            report.left_out["only a total is stated"].append(listing.account)
        except UnclassifiedError:
            report.left_out["without a class"].append(listing.account)
        else:
            lines[listing.property_id] = [
                (line.detail_code, None, "", line.appraised, line.assessed) for line in converted
            ]
            kept.append(_with_exempt_code(listing, exempt))
    _write(report, kept, lines, exemptions)


def _classes(town_code: int) -> dict[UUID, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state_class, use_code FROM assessment_property WHERE town_id = %s", [town_code]
        )
        return {key: (state_class, use_code) for key, state_class, use_code in cursor.fetchall()}


def stated_values(
    town_code: int, stated_basis: str, year: int
) -> tuple[dict[UUID, dict[str, Stated]], dict[UUID, list[ExemptionRow]]]:
    """Return what a town's card or list states by property and component, and its exemptions by code."""
    values: dict[UUID, dict[str, Stated]] = defaultdict(dict)
    exemptions: dict[UUID, list[ExemptionRow]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT property_id, component, detail_code, appraised, assessed FROM assessment_statedvalue "
            "WHERE town_id = %s AND basis = %s AND list_year = %s ORDER BY property_id, component, detail_code",
            [town_code, stated_basis, year],
        )
        for key, component, detail_code, appraised, assessed in cursor.fetchall():
            if component == "exemption":
                exemptions[key].append((detail_code or "LOCAL", assessed or 0, "", None))
            else:
                values[key][component] = Stated(appraised, assessed, detail_code)
    return values, exemptions
