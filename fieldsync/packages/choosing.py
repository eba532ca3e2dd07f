"""Choosing properties for a package, and saying beforehand what it would be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum

from assessment.property.models import Blob, Permit, Photo, Property, PropertyAlias
from assessment.region.errors import Invalid
from assessment.sales.models import Transfer
from fieldsync.feed.models import PackageRecord
from fieldsync.packages.areas import middles_of, parcel_keys_of, properties_left_out, properties_on_map
from fieldsync.packages.models import Package
from fieldsync.packages.routing import Stop, order_by_nearest, order_by_streets
from fieldsync.packages.rules import PACKAGE_MAX_PROPERTIES, Order, Selection, estimate_bytes
from gis.tiles.models import TileArchive

_SAMPLE = 12


@dataclass(frozen=True, slots=True)
class Standing:
    """How a town stands with CGS 12-62: every property fully inspected once in ten assessment years."""

    count: int
    never: int
    oldest_on: dt.date | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a package would be if it were drawn now."""

    count: int
    byte_estimate: int
    in_open_packages: list[tuple[str, int]]
    unknown_identifiers: list[str]
    sample: list[str]

    @property
    def already_out(self) -> int:
        """How many are in another open package already (one in two counts twice)."""
        return sum(count for _, count in self.in_open_packages)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many properties fit a selection, how many of them its limit takes, and the parcels they stand on."""

    fits: int
    taken: int
    parcel_keys: list[str]


def choose_properties(town_code: int, selection: Selection) -> list[UUID]:
    """Return the properties that a selection means now, in the order of the day.

    As chosen is the order of the list or of the drawn route, else the longest uninspected first. The limit
    is cut before another order is made.

    Raises
    ------
    Invalid
        No condition is given, or the limit is more than a tablet should carry.
    AreaInvalid, CoordinateSystemMissing, CoordinateSystemUnknown
        See `fieldsync.packages.areas`.
    """
    rows, route = _chosen(town_code, selection)
    return _in_order(town_code, _cut(rows, route, selection.limit), selection.order)


def count_selection(town_code: int, selection: Selection) -> Tally:
    """Return how many properties fit, and which parcels to mark on the map; errors as of `choose_properties`."""
    rows, route = _chosen(town_code, selection)
    fitting = _cut(rows, route, None)
    return Tally(
        fits=len(fitting),
        taken=min(len(fitting), selection.limit),
        parcel_keys=parcel_keys_of(town_code, fitting[:PACKAGE_MAX_PROPERTIES]),
    )


def _chosen(town_code: int, selection: Selection) -> tuple[QuerySet[Property], list[UUID]]:
    """Return all that fit, and the order that the list or the drawn route gives some of them."""
    if selection.is_empty:
        raise Invalid(
            "Choose properties by a list, an area, a neighbourhood, a street, permits, sales or the last inspection."
        )
    if not 1 <= selection.limit <= PACKAGE_MAX_PROPERTIES:
        raise Invalid(f"A package holds 1 to {PACKAGE_MAX_PROPERTIES} properties.")
    rows, mapped = _matching(town_code, selection), []
    if selection.wants_map:
        mapped = properties_on_map(town_code, selection)
        rows = rows.filter(id__in=mapped)
    elif selection.parcels_out:
        rows = rows.exclude(id__in=properties_left_out(town_code, selection.parcels_out))
    if route := _route(town_code, selection):
        return rows.filter(id__in=route), route
    return rows, mapped if selection.route else []


def _cut(rows: QuerySet[Property], route: Sequence[UUID], limit: int | None) -> list[UUID]:
    if route:
        places = {key: place for place, key in enumerate(route)}
        return sorted(rows.values_list("id", flat=True), key=places.__getitem__)[:limit]
    rows = rows.order_by(
        F("last_full_inspection_on").asc(nulls_first=True), "street_name", "address_number", "id"
    )
    return list(rows.values_list("id", flat=True)[:limit])


def _in_order(town_code: int, property_ids: list[UUID], order: Order) -> list[UUID]:
    if order == Order.CHOSEN:
        return property_ids
    said = Property.objects.filter(id__in=property_ids).values_list("id", "street_name", "address_number")
    stops = {key: Stop(street, number) for key, street, number in said}
    points = middles_of(town_code, property_ids)
    if order == Order.STREETS:
        return order_by_streets({key: stops[key] for key in property_ids}, points)
    walk = order_by_nearest({key: points[key] for key in property_ids if key in points})
    # What stands on no parcel is found by its address, at the end.
    return walk + order_by_streets({key: stops[key] for key in property_ids if key not in points}, {})


def preview_selection(town_code: int, selection: Selection) -> Preview:
    """Return what drawing a selection would give; errors as of `choose_properties`."""
    chosen = choose_properties(town_code, selection)
    known = _known_identifiers(town_code, selection.identifiers)
    return Preview(
        count=len(chosen),
        byte_estimate=estimate_package(town_code, chosen),
        in_open_packages=open_packages_of(town_code, chosen),
        unknown_identifiers=[each for each in selection.identifiers if each not in known],
        sample=addresses_of(chosen[:_SAMPLE]),
    )


def estimate_package(town_code: int, property_ids: Sequence[UUID]) -> int:
    """Return about how many bytes a package of these properties will have."""
    built = Package.objects.filter(town_id=town_code, record_count__gt=0, byte_count__gt=0)
    of_built = built.aggregate(records=Sum("record_count"), byte_count=Sum("byte_count"))
    photos = Photo.objects.filter(property_id__in=property_ids).exclude(thumbnail_sha256="")
    thumbnails = Blob.objects.filter(
        town_id=town_code, sha256__in=photos.values("thumbnail_sha256")
    ).aggregate(total=Sum("byte_count"))["total"]
    tiles = TileArchive.objects.filter(town_id=town_code).order_by("-made_at").first()
    if of_built["records"]:
        return estimate_bytes(len(property_ids), bytes_each=of_built["byte_count"] / of_built["records"])
    return estimate_bytes(
        len(property_ids), thumbnails=thumbnails or 0, map_bytes=tiles.blob.byte_count if tiles else 0
    )


def open_packages_of(town_code: int, property_ids: Sequence[UUID]) -> list[tuple[str, int]]:
    """Return the open packages that hold some of these properties, and how many, the most first."""
    rows = (
        _in_open_packages(town_code)
        .filter(record_id__in=property_ids)
        .values_list("package__title")
        .annotate(count=Count("id"))
        .order_by("-count", "package__title")
    )
    return [(str(title), count) for title, count in rows]


def inspection_standing(town_code: int, since: dt.date) -> Standing:
    """Return how many properties had no full inspection since a day, how many never, and the oldest one's day."""
    late = _overdue(_real(town_code), since)
    found = late.aggregate(
        count=Count("id"),
        never=Count("id", filter=Q(last_full_inspection_on=None)),
        oldest=Min("last_full_inspection_on"),
    )
    return Standing(found["count"], found["never"], found["oldest"])


def addresses_of(property_ids: Sequence[UUID]) -> list[str]:
    """Return the addresses of properties, in the order given."""
    found = Property.objects.in_bulk(property_ids)
    return [found[key].address or found[key].account_number for key in property_ids if key in found]


def _matching(town_code: int, selection: Selection) -> QuerySet[Property]:
    rows = _real(town_code)
    if selection.neighbourhood:
        rows = rows.filter(neighbourhood=selection.neighbourhood)
    if selection.street:
        rows = rows.filter(street_name__iexact=selection.street.strip())
    if selection.not_inspected_since:
        rows = _overdue(rows, selection.not_inspected_since)
    if selection.wants_permits:
        permits = Permit.objects.filter(property_id=OuterRef("id"), closed_on__isnull=True)
        rows = rows.filter(
            Exists(_between(permits, "issued_on", selection.permits_from, selection.permits_to))
        )
    if selection.wants_sales:
        sales = Transfer.objects.filter(property_id=OuterRef("id"), decided_validity="")
        rows = rows.filter(Exists(_between(sales, "recorded_on", selection.sales_from, selection.sales_to)))
    if selection.skip_open:
        rows = rows.filter(~Exists(_in_open_packages(town_code).filter(record_id=OuterRef("id"))))
    return rows


def _route(town_code: int, selection: Selection) -> list[UUID]:
    if not selection.identifiers:
        return list(selection.property_ids)
    known = _known_identifiers(town_code, selection.identifiers)
    if not known:
        raise Invalid("None of these identifiers is one of the town's.")
    return [*selection.property_ids, *(known[each] for each in selection.identifiers if each in known)]


def _known_identifiers(town_code: int, identifiers: Sequence[str]) -> dict[str, UUID]:
    """Return the property of each identifier: an account number, else an alias in use."""
    aliases = PropertyAlias.objects.filter(
        town_id=town_code, value__in=identifiers, valid_to__isnull=True, property__is_retired=False
    )
    known = dict(aliases.order_by("-valid_from").values_list("value", "property_id"))
    return known | dict(
        _real(town_code).filter(account_number__in=identifiers).values_list("account_number", "id")
    )


def _real(town_code: int) -> QuerySet[Property]:
    return Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)


def _overdue(rows: QuerySet[Property], since: dt.date) -> QuerySet[Property]:
    return rows.filter(Q(last_full_inspection_on__lt=since) | Q(last_full_inspection_on__isnull=True))


def _between(rows: QuerySet[Any], column: str, first: dt.date | None, last: dt.date | None) -> QuerySet[Any]:
    if first:
        rows = rows.filter(**{f"{column}__gte": first})
    return rows.filter(**{f"{column}__lte": last}) if last else rows


def _in_open_packages(town_code: int) -> QuerySet[PackageRecord]:
    rows = PackageRecord.objects.filter(town_id=town_code, op=PackageRecord.Op.PUT)
    return rows.exclude(package__state=Package.State.CLOSED)
