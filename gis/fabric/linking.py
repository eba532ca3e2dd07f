"""Services that tie parcels to the properties of the record, and open accounts where there is none."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import shapely
from django.db import connection

from assessment.property.bulk import insert_rows
from assessment.property.models import Property, PropertyAlias
from assessment.property.openings import NewAccount, open_complexes, open_real_accounts, rename_aliases
from assessment.region.actors import Actor
from assessment.region.ids import new_id
from gis.fabric.models import FabricVersion, ParcelProperty
from gis.fabric.rules.accounts import Behind, behind, id_type_of
from gis.fabric.rules.kinds import Descent
from gis.fabric.rules.layer import ParcelRow
from gis.fabric.rules.units import acres

_BATCH = 5_000
_Method = ParcelProperty.Method


@dataclass(frozen=True, slots=True)
class KeptParcel:
    """A parcel in the database beside the row of the file that it came from."""

    id: UUID
    row: ParcelRow


@dataclass(slots=True)
class LinkCounts:
    """What linking did, in parcels, properties and links."""

    links_added: int = 0
    properties_created: int = 0
    complexes_created: int = 0
    parcels_without_property: int = 0
    properties_without_parcel: int = 0
    by_method: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        """For reports."""
        return {
            "links_added": self.links_added,
            "links_by_method": self.by_method,
            "properties_created": self.properties_created,
            "complexes_created": self.complexes_created,
            "parcels_without_property": self.parcels_without_property,
            "properties_without_parcel": self.properties_without_parcel,
        }


def link_parcels(
    parcels: Sequence[KeptParcel],
    *,
    actor: Actor,
    fabric: FabricVersion,
    on: dt.date,
    inherited: Mapping[UUID, set[UUID]] | None = None,
    create_properties: bool = True,
) -> LinkCounts:
    """Link every parcel that has no property yet: by inheritance, by identifier, or to a new account.

    Parameters
    ----------
    parcels
        All parcels of `fabric`.
    on
        The day from which new identifiers hold.
    inherited
        Properties by parcel, taken over from the fabric before (see `inherit`).
    create_properties
        Open an account for a parcel that no property answers to. The polygon of a condominium complex gets
        a complex and no account: its units come with the record cards. Roads and water get nothing.

    Returns
    -------
    LinkCounts
        A second call with the same parcels adds nothing.
    """
    counts = LinkCounts()
    present = _links_of(fabric.town_id, [parcel.id for parcel in parcels])
    done = {parcel_id for parcel_id, _ in present}
    links: dict[tuple[UUID, UUID], str] = {
        (parcel_id, property_id): _Method.INHERITED
        for parcel_id, property_ids in (inherited or {}).items()
        for property_id in property_ids
        if parcel_id not in done
    }
    done |= {parcel_id for parcel_id, _ in links}
    open_ends = [parcel for parcel in parcels if parcel.id not in done]
    _by_identifier(open_ends, fabric.town_id, links)
    if create_properties:
        done |= {parcel_id for parcel_id, _ in links}
        _create([p for p in open_ends if p.id not in done], links, counts, actor=actor, fabric=fabric, on=on)
    counts.links_added, counts.by_method = _insert(links, fabric.town_id)
    done |= {parcel_id for parcel_id, _ in links}
    counts.parcels_without_property = sum(parcel.id not in done for parcel in parcels)
    placed = {property_id for _, property_id in [*present, *links]}
    counts.properties_without_parcel = _unplaced(fabric.town_id, placed)
    return counts


def inherit(
    parcels: Sequence[KeptParcel],
    old_ids: Mapping[str, UUID],
    lines: Sequence[tuple[UUID, UUID, Descent]],
    *,
    actor: Actor,
    old_fabric: FabricVersion,
    source: str,
    on: dt.date,
) -> dict[UUID, set[UUID]]:
    """Properties that parcels of a new fabric take over from the fabric before it.

    A parcel keeps the properties of the parcel with its identifier; a renumbered one those of the parcel
    on the same ground, whose alias is renewed. A split or merged parcel takes over nothing by itself: which account goes on is the
    assessor's decision.

    Parameters
    ----------
    old_ids
        Parcel ids of the old fabric by parcel key.
    lines
        Lines of descent as (old parcel, new parcel, descent).
    """
    held: dict[UUID, set[UUID]] = defaultdict(set)
    for parcel_id, property_id in _links_of(old_fabric.town_id, old_ids.values()):
        held[parcel_id].add(property_id)
    taken = {p.id: set(held[old_ids[p.row.key]]) for p in parcels if old_ids.get(p.row.key) in held}
    new_keys = {parcel.id: parcel.row.key for parcel in parcels}
    renamed: list[tuple[UUID, str]] = []
    for parent_id, child_id, descent in lines:
        if descent is Descent.RENUMBERED and child_id not in taken and parent_id in held:
            taken[child_id] = set(held[parent_id])
            renamed += [(property_id, new_keys[child_id]) for property_id in sorted(held[parent_id])]
    rename_aliases(renamed, actor=actor, town_code=old_fabric.town_id, id_type="gis", source=source, on=on)
    return taken


def _links_of(town_code: int, parcel_ids: Iterable[UUID]) -> list[tuple[UUID, UUID]]:
    """(parcel, property) of all links of these parcels; one array parameter, so no plan can go wrong."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT parcel_id, property_id FROM gis_parcelproperty WHERE town_id = %s AND parcel_id = ANY (%s)",
            [town_code, list(parcel_ids)],
        )
        return [(parcel_id, property_id) for parcel_id, property_id in cursor.fetchall()]


def _by_identifier(
    parcels: Sequence[KeptParcel], town_code: int, links: dict[tuple[UUID, UUID], str]
) -> None:
    """Link by identifiers in force: the fabric's own against any kind, the other columns against their kind."""
    if not parcels:
        return
    in_force = PropertyAlias.objects.filter(town_id=town_code, valid_to=None, property__is_retired=False)
    by_value: dict[str, set[UUID]] = defaultdict(set)
    by_kind: dict[tuple[str, str], set[UUID]] = defaultdict(set)
    for id_type, value, property_id in in_force.values_list("id_type", "value", "property_id"):
        plain = " ".join(value.split())
        by_value[plain].add(property_id)
        by_kind[id_type, plain].add(property_id)
    units: dict[str, set[UUID]] = defaultdict(set)
    for code, property_id in Property.objects.filter(
        town_id=town_code, complex__isnull=False, is_retired=False
    ).values_list("complex__code", "id"):
        units[code].add(property_id)
    for parcel in parcels:
        row = parcel.row
        found = set(by_kind.get(("gis", row.key), ()))
        for column, value in row.aliases.items():
            found |= by_kind.get((id_type_of(column), value), set())
        found = found or by_value.get(row.key, set())
        for property_id in found:
            links[parcel.id, property_id] = _Method.ALIAS
        for property_id in units.get(row.key, ()) if behind(row.kind) is Behind.COMPLEX else ():
            links[parcel.id, property_id] = _Method.COMPLEX


def _create(
    parcels: Sequence[KeptParcel],
    links: dict[tuple[UUID, UUID], str],
    counts: LinkCounts,
    *,
    actor: Actor,
    fabric: FabricVersion,
    on: dt.date,
) -> None:
    wanted = [(parcel, behind(parcel.row.kind)) for parcel in parcels]
    alone = [parcel for parcel, needs in wanted if needs is Behind.ACCOUNT]
    made = open_real_accounts(
        [_account(parcel.row) for parcel in alone],
        actor=actor,
        town_code=fabric.town_id,
        source=fabric.source_name,
        on=on,
    )
    for parcel, property_id in zip(alone, made, strict=True):
        links[parcel.id, property_id] = _Method.CREATED
    counts.properties_created = len(made)
    counts.complexes_created = open_complexes(
        [(parcel.row.key, parcel.row.address) for parcel, needs in wanted if needs is Behind.COMPLEX],
        actor=actor,
        town_code=fabric.town_id,
    )


def _account(row: ParcelRow) -> NewAccount:
    point = shapely.point_on_surface(row.shape)
    others = {(id_type_of(column), value) for column, value in row.aliases.items()}
    return NewAccount(
        aliases=(("gis", row.key), *sorted(others - {("gis", row.key)})),
        address=row.address,
        use_description=row.use,
        acres=Decimal(f"{acres(row.area_sqft):.4f}"),
        land_sqft=round(row.area_sqft),
        location_ft=(float(point.x), float(point.y)),
    )


def _insert(links: Mapping[tuple[UUID, UUID], str], town_code: int) -> tuple[int, dict[str, int]]:
    by_method: dict[str, int] = defaultdict(int)
    for method in links.values():
        by_method[str(method)] += 1
    rows = [
        {
            "id": new_id(),
            "town_id": town_code,
            "parcel_id": parcel_id,
            "property_id": property_id,
            "method": str(method),
        }
        for (parcel_id, property_id), method in links.items()
    ]
    for start in range(0, len(rows), _BATCH):
        insert_rows(ParcelProperty, rows[start : start + _BATCH])
    return len(links), dict(by_method)


def _unplaced(town_code: int, placed: set[UUID]) -> int:
    """Real properties in use that are not in `placed`."""
    in_use = Property.objects.filter(town_id=town_code, kind=Property.Kind.REAL, is_retired=False)
    return len(set(in_use.values_list("id", flat=True)) - placed)
