"""Collections that a person may read, and their features."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils.text import slugify

from assessment.region.errors import NotFound
from assessment.region.models import Town
from gis.fabric.models import FabricVersion, Parcel, ParcelProperty
from gis.fabric.selectors import layer_feature_ids_in_box, parcel_ids_in_box
from gis.layers.models import Layer, LayerFeature
from gis.ogc.rules import ItemsQuery, bounds_in_degrees

if TYPE_CHECKING:
    import shapely

Feature = tuple[str, "shapely.Geometry", Mapping[str, Any]]


class Source(StrEnum):
    """What a collection is made of."""

    PARCELS = "parcels"
    LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Collection:
    """The parcels of a town's fabric in force, or a layer of a town."""

    id: str
    title: str
    description: str
    source: Source
    source_id: UUID
    extent: tuple[float, ...] | None


def list_collections(town_codes: Sequence[int]) -> list[Collection]:
    """Collections of the towns, by town and name. Three queries."""
    towns = {town.code: town for town in Town.objects.filter(code__in=town_codes)}
    found = []
    for fabric in FabricVersion.objects.filter(town_id__in=towns, state=FabricVersion.State.CURRENT):
        town = towns[fabric.town_id]
        found.append(
            Collection(
                id=f"{town.slug}-parcels",
                title=f"{town.name}: parcels",
                description=f"Parcels of {town.name}, fabric version {fabric.number}, from {fabric.source_name}",
                source=Source.PARCELS,
                source_id=fabric.id,
                extent=_extent(town),
            )
        )
    for layer in Layer.objects.filter(town_id__in=towns):
        town = towns[layer.town_id]
        found.append(
            Collection(
                id=f"{town.slug}-{layer.kind}-{slugify(layer.name)}",
                title=f"{town.name}: {layer.name}",
                description=f"{layer.get_kind_display()} of {town.name}, from {layer.source_name}",
                source=Source.LAYER,
                source_id=layer.id,
                extent=_extent(town),
            )
        )
    return sorted(found, key=lambda collection: collection.id)


def get_collection(town_codes: Sequence[int], collection_id: str) -> Collection:
    """The collection with this id among those of the towns; `NotFound` otherwise."""
    found = next((c for c in list_collections(town_codes) if c.id == collection_id), None)
    if found is None:
        raise NotFound("There is no such collection.")
    return found


def list_features(collection: Collection, query: ItemsQuery) -> tuple[list[Feature], int]:
    """One page of features in order of id, and how many match in all."""
    rows = _rows(collection)
    if query.area is None:
        matched = rows.count()
        ids = list(
            rows.order_by("id").values_list("id", flat=True)[query.offset : query.offset + query.limit]
        )
    else:
        in_box = (parcel_ids_in_box if collection.source is Source.PARCELS else layer_feature_ids_in_box)(
            collection.source_id, query.area
        )
        matched, ids = len(in_box), in_box[query.offset : query.offset + query.limit]
    return _features(collection, rows.filter(id__in=ids).order_by("id")), matched


def get_feature(collection: Collection, item_id: UUID) -> Feature:
    """One feature of the collection; `NotFound` when it is of another."""
    found = _features(collection, _rows(collection).filter(id=item_id))
    if not found:
        raise NotFound("There is no such feature.")
    return found[0]


def _rows(collection: Collection) -> QuerySet[Any]:
    if collection.source is Source.PARCELS:
        return Parcel.objects.filter(fabric=collection.source_id).defer("original_geom", "attributes")
    return LayerFeature.objects.filter(layer=collection.source_id)


def _features(collection: Collection, rows: QuerySet[Any]) -> list[Feature]:
    import shapely

    if collection.source is Source.LAYER:
        return [
            (str(row.id), shapely.from_wkb(bytes(row.geom)), {"code": row.code, "label": row.label})
            for row in rows
        ]
    parcels = list(rows)
    accounts = _accounts([parcel.id for parcel in parcels])
    return [(str(parcel.id), parcel.shape, _described(parcel, accounts[parcel.id])) for parcel in parcels]


def _described(parcel: Parcel, accounts: Sequence[tuple[UUID, str]]) -> dict[str, Any]:
    return {
        "parcel_key": parcel.parcel_key,
        "address": parcel.address,
        "kind": parcel.kind,
        "use": parcel.use,
        "acres": round(parcel.acres, 4),
        "area_sqft": round(parcel.area_sqft, 1),
        "is_repaired": parcel.is_repaired,
        "account_numbers": ", ".join(number for _, number in accounts),
        "property_id": str(accounts[0][0]) if len(accounts) == 1 else None,
    }


def _accounts(parcel_ids: Sequence[UUID]) -> Mapping[UUID, list[tuple[UUID, str]]]:
    found: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    links = ParcelProperty.objects.filter(parcel__in=parcel_ids).order_by("property__account_number")
    for parcel_id, property_id, number in links.values_list(
        "parcel_id", "property_id", "property__account_number"
    ):
        found[parcel_id].append((property_id, number))
    return found


def _extent(town: Town) -> tuple[float, ...] | None:
    if town.boundary is None:
        return None
    import shapely

    return tuple(bounds_in_degrees(shapely.from_wkb(bytes(town.boundary)).bounds))
