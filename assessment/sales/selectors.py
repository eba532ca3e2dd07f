"""Reading transfers."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, QuerySet

from assessment.property.models import Property
from assessment.sales.errors import TransferNotFound
from assessment.sales.models import Transfer
from assessment.sales.rules.matching import Entry
from assessment.sales.rules.validity import Validity


def get_transfer(transfer_id: UUID) -> Transfer:
    """Return a transfer of the towns in scope; raise `TransferNotFound`."""
    transfer = Transfer.objects.select_related("property").filter(id=transfer_id).first()
    if transfer is None:
        raise TransferNotFound(transfer_id=str(transfer_id))
    return transfer


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
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Transfer], int]:
    """Return a page of a town's transfers, newest first, and how many there are in all."""
    rows = Transfer.objects.filter(town_id=town_code)
    if wanted := [Validity(one).value for one in validities]:
        rows = rows.filter(validity__in=wanted)
    if list_year is not None:
        rows = rows.filter(list_year=list_year)
    if match_reason:
        rows = rows.filter(match_reason=match_reason)
    page = rows.select_related("property").order_by("-recorded_on", "-id")[offset : offset + limit]
    return list(page), rows.count()


def usable_sales(town_codes: Iterable[int]) -> QuerySet[Transfer]:
    """Return the transfers that are evidence of value: matched, and usable by decision or suggestion.

    For models and ratio studies, oldest first. A sale given to a condominium's complex names no unit of the
    record, so it is left out.
    """
    return (
        Transfer.objects.filter(
            town_id__in=list(town_codes), validity=Validity.USABLE, property__isnull=False
        )
        .exclude(match_note__contains="of the complex")
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
    """Return the addresses of a town's real property, for matching.

    The property that stands for a condominium complex is marked: the parcel whose use says so, or the one of
    a complex that names no unit.
    """
    rows = (
        Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)
        .exclude(address="")
        .values_list("id", "address", "unit", "complex_id", "use_code", "use_description")
        .order_by("id")
    )
    return [
        Entry(
            property_id,
            address,
            unit,
            is_complex=_is_condo_main(use_code, use_description) or (complex_id is not None and not unit),
        )
        for property_id, address, unit, complex_id, use_code, use_description in rows.iterator()
    ]


def _is_condo_main(use_code: str, use_description: str) -> bool:
    # 995 is the vendors' code of a condominium's main card; layers write "Condo Main".
    return use_code == "995" or any(
        text.casefold().startswith("condo main") for text in (use_code, use_description)
    )
