"""OGC API - Features: the land for GIS tools, read only, of the towns that the person works for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Router

from gis.ogc.access import actor_of, authenticate, in_scope
from gis.ogc.rules import (
    CONFORMANCE,
    CRS84,
    GEOJSON,
    Link,
    feature_document,
    features_document,
    page_links,
    parse_query,
)
from gis.ogc.selectors import Collection, get_collection, get_feature, list_collections, list_features

router = Router(tags=["features"], auth=authenticate)
OPENAPI_TYPE = "application/vnd.oai.openapi+json;version=3.1"


@router.get("/", operation_id="ogc_landing_page", url_name="ogc_landing_page", summary="Landing page")
@in_scope
def landing_page(request: HttpRequest) -> dict[str, Any]:
    """Where everything is."""
    return {
        "title": "Grandlist: parcels and layers",
        "description": "Parcels and layers of the towns that you work for",
        "links": _dicts(
            Link("self", _address(request, "ogc_landing_page"), title="this document"),
            Link("service-desc", _address(request, "openapi-json"), OPENAPI_TYPE, "the API's description"),
            Link("service-doc", _address(request, "openapi-view"), "text/html", "the API's documentation"),
            Link("conformance", _address(request, "ogc_conformance"), title="what is conformed to"),
            Link("data", _address(request, "ogc_collections"), title="the collections"),
        ),
    }


@router.get(
    "/conformance", operation_id="ogc_conformance", url_name="ogc_conformance", summary="Conformance classes"
)
@in_scope
def conformance(request: HttpRequest) -> dict[str, Any]:
    """The requirements classes that are met."""
    return {"conformsTo": list(CONFORMANCE)}


@router.get("/collections", operation_id="ogc_collections", url_name="ogc_collections", summary="Collections")
@in_scope
def collections(request: HttpRequest) -> dict[str, Any]:
    """The parcels and layers of each town."""
    return {
        "links": _dicts(Link("self", _address(request, "ogc_collections"))),
        "collections": [_collection(request, found) for found in list_collections(actor_of(request).towns)],
    }


@router.get(
    "/collections/{collection_id}",
    operation_id="ogc_collection",
    url_name="ogc_collection",
    summary="One collection",
)
@in_scope
def collection(request: HttpRequest, collection_id: str) -> dict[str, Any]:
    """One collection of a town."""
    return _collection(request, get_collection(actor_of(request).towns, collection_id))


@router.get(
    "/collections/{collection_id}/items", operation_id="ogc_items", url_name="ogc_items", summary="Features"
)
@in_scope
def items(request: HttpRequest, collection_id: str) -> HttpResponse:
    """A page of features, in a bbox (west,south,east,north) or all; limit up to 10,000, offset."""
    found = get_collection(actor_of(request).towns, collection_id)
    asked = {name: str(value) for name, value in request.GET.items()}
    query = parse_query(asked)
    features, matched = list_features(found, query)
    links = [
        *page_links(_address(request, "ogc_items", found.id), query, asked, matched=matched),
        Link("collection", _address(request, "ogc_collection", found.id)),
    ]
    text = features_document(features, matched=matched, timestamp=timezone.now().isoformat(), links=links)
    return HttpResponse(text, content_type=GEOJSON)


@router.get(
    "/collections/{collection_id}/items/{item_id}",
    operation_id="ogc_item",
    url_name="ogc_item",
    summary="One feature",
)
@in_scope
def item(request: HttpRequest, collection_id: str, item_id: UUID) -> HttpResponse:
    """One feature of a collection."""
    found = get_collection(actor_of(request).towns, collection_id)
    key, shape, properties = get_feature(found, item_id)
    links = [
        Link("self", _address(request, "ogc_item", found.id, item_id), GEOJSON),
        Link("collection", _address(request, "ogc_collection", found.id)),
    ]
    return HttpResponse(feature_document(key, shape, properties, links=links), content_type=GEOJSON)


def _collection(request: HttpRequest, found: Collection) -> dict[str, Any]:
    extent = {"extent": {"spatial": {"bbox": [list(found.extent)], "crs": CRS84}}} if found.extent else {}
    return {
        "id": found.id,
        "title": found.title,
        "description": found.description,
        "itemType": "feature",
        "crs": [CRS84],
        **extent,
        "links": _dicts(
            Link("self", _address(request, "ogc_collection", found.id)),
            Link("items", _address(request, "ogc_items", found.id), GEOJSON, found.title),
        ),
    }


def _dicts(*links: Link) -> list[dict[str, str]]:
    return [link.as_dict() for link in links]


def _address(request: HttpRequest, name: str, *parts: object) -> str:
    return request.build_absolute_uri(reverse(f"ogc-api:{name}", args=parts))
