"""Reading transfers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from assessment.property.models import Complex, Property
from assessment.sales.errors import TransferNotFound
from assessment.sales.models import SaleFinding, Transfer
from assessment.sales.rules.matching import Entry
from assessment.sales.rules.validity import Validity

_A_MONTH = dt.timedelta(days=31)


def get_transfer(transfer_id: UUID) -> Transfer:
    """Return a transfer of the towns in scope; raise `TransferNotFound`."""
    transfer = Transfer.objects.select_related("property").filter(id=transfer_id).first()
    if transfer is None:
        raise TransferNotFound(transfer_id=str(transfer_id))
    return transfer


def list_findings(transfer_id: UUID) -> list[SaleFinding]:
    """Return what the screen found on a transfer."""
    return list(SaleFinding.objects.filter(transfer_id=transfer_id))


def list_property_transfers(property_id: UUID) -> list[Transfer]:
    """Return every transfer of a property, newest first."""
    rows = Transfer.objects.filter(property_id=property_id).select_related("decided_by")
    return list(rows.order_by("-recorded_on", "-serial_number"))


def list_transfers(
    town_code: int,
    *,
    validities: Iterable[str] = (),
    list_year: int | None = None,
    match_reason: str = "",
    finding: str = "",
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Transfer], int]:
    """Return a page of a town's transfers, newest first, and how many there are in all.

    Parameters
    ----------
    finding
        A code of the screen; ``any`` for those with any and not yet decided by a person.
    """
    rows = Transfer.objects.filter(town_id=town_code)
    if wanted := [Validity(one).value for one in validities]:
        rows = rows.filter(validity__in=wanted)
    if list_year is not None:
        rows = rows.filter(list_year=list_year)
    if match_reason:
        rows = rows.filter(match_reason=match_reason)
    if finding == "any":
        rows = rows.filter(Exists(SaleFinding.objects.filter(transfer=OuterRef("pk"))), decided_validity="")
    elif finding:
        rows = rows.filter(Exists(SaleFinding.objects.filter(transfer=OuterRef("pk"), code=finding)))
    page = rows.select_related("property", "complex").order_by("-recorded_on", "-id")[offset : offset + limit]
    return list(page), rows.count()


def usable_sales(town_codes: Iterable[int]) -> QuerySet[Transfer]:
    """Return the transfers that are evidence of value: matched, and usable by decision or suggestion.

    For models and ratio studies, oldest first. A unit's sale that went to its complex is left out, also where
    the complex has an account: it is no evidence for the whole. A sale on a card that the state's file has
    too (same property and price, within a month) counts once.
    """
    same_in_the_file = Transfer.objects.filter(
        source=Transfer.Source.STATE,
        town_id=OuterRef("town_id"),
        property_id=OuterRef("property_id"),
        price=OuterRef("price"),
        recorded_on__range=(OuterRef("recorded_on") - _A_MONTH, OuterRef("recorded_on") + _A_MONTH),
    )
    return (
        Transfer.objects.filter(
            town_id__in=list(town_codes), validity=Validity.USABLE, property__isnull=False
        )
        .exclude(match_note__contains="of the complex")
        .exclude(Q(source=Transfer.Source.CARD) & Exists(same_in_the_file))
        .order_by("recorded_on", "id")
    )


def count_by_outcome(town_code: int) -> dict[str, dict[str, int]]:
    """Return how many transfers of a town there are by method, by reason of no match, and by validity."""
    rows = Transfer.objects.filter(town_id=town_code)
    counts: dict[str, dict[str, int]] = {}
    for name in ("match_method", "match_reason", "validity"):
        grouped = rows.exclude(**{name: ""}).values_list(name).annotate(number=Count("id")).order_by(name)
        counts[name] = {str(key): number for key, number in grouped}
    return counts


def list_addresses(town_code: int) -> list[Entry]:
    """Return the addresses of a town's real property and of its condominium complexes, for matching.

    Keys are ``("property", id)`` and ``("complex", id)``. An account that stands for a whole complex is marked
    as one: its use says so, or it is of a complex and names no unit. A complex that has such an account is
    left to it.
    """
    rows = (
        Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)
        .exclude(address="")
        .values_list("id", "address", "unit", "complex_id", "use_code", "use_description")
        .order_by("id")
    )
    entries, mains = [], set()
    for property_id, address, unit, complex_id, use_code, use_description in rows.iterator():
        is_main = _is_condo_main(use_code, use_description) or (complex_id is not None and not unit)
        entries.append(Entry(("property", property_id), address, unit, is_complex=is_main))
        if is_main and complex_id is not None:
            mains.add(complex_id)
    complexes = Complex.objects.filter(town_id=town_code).exclude(address="").exclude(id__in=mains)
    entries += [
        Entry(("complex", complex_id), address, is_complex=True)
        for complex_id, address in complexes.order_by("id").values_list("id", "address")
    ]
    return entries


def _is_condo_main(use_code: str, use_description: str) -> bool:
    # 995 is the vendors' code of a condominium's main card; layers write "Condo Main".
    return use_code == "995" or any(
        text.casefold().startswith("condo main") for text in (use_code, use_description)
    )
