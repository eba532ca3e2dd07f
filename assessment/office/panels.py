"""The office's own panels of the record card: what each shows of one property."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse

from assessment.office.history import ON_CARD, list_told_history
from assessment.office.record import CardRecord, read_card
from assessment.office.registries import PageScope
from assessment.office.sketch import SketchSection, draw_sketch
from assessment.office.tags import day, number, plain, words
from assessment.property.models import Inspection, LandLine, Photo
from assessment.sales.selectors import list_property_transfers

Row = Mapping[str, Any]

# (field, label, how it is written, code table); in the order of a printed card.
BUILDING_FACTS: tuple[tuple[str, str, str, str], ...] = (
    ("occupancy", "Occupancy", "code", "occupancy"),
    ("style", "Style", "code", "style"),
    ("model", "Model", "code", "model"),
    ("grade", "Grade", "code", "grade"),
    ("condition", "Condition", "code", "condition"),
    ("year_built", "Year built", "plain", ""),
    ("effective_year_built", "Effective year built", "plain", ""),
    ("remodelled_year", "Remodeled", "plain", ""),
    ("stories", "Stories", "number1", ""),
    ("living_area_sqft", "Living area (sq ft)", "number", ""),
    ("gross_area_sqft", "Gross area (sq ft)", "number", ""),
    ("effective_area_sqft", "Effective area (sq ft)", "number", ""),
    ("total_rooms", "Rooms", "number", ""),
    ("bedrooms", "Bedrooms", "number", ""),
    ("full_baths", "Full baths", "number", ""),
    ("half_baths", "Half baths", "number", ""),
    ("kitchens", "Kitchens", "number", ""),
    ("fireplaces", "Fireplaces", "number", ""),
    ("units", "Units", "number", ""),
    ("elevators", "Elevators", "number", ""),
    ("exterior_wall", "Exterior wall", "code", "exterior_wall"),
    ("roof_structure", "Roof", "code", "roof_structure"),
    ("roof_cover", "Roof cover", "code", "roof_cover"),
    ("interior_wall", "Interior wall", "code", "interior_wall"),
    ("floor_cover", "Floors", "code", "floor_cover"),
    ("plumbing", "Plumbing", "code", "plumbing"),
    ("bath_style", "Bath style", "code", "bath_style"),
    ("kitchen_style", "Kitchen style", "code", "kitchen_style"),
    ("heat_fuel", "Heating fuel", "code", "heat_fuel"),
    ("heat_type", "Heating", "code", "heat_type"),
    ("ac_type", "Cooling", "code", "ac_type"),
    ("basement_type", "Basement", "code", "basement_type"),
    ("basement_area_sqft", "Basement (sq ft)", "number", ""),
    ("finished_basement_sqft", "Finished basement (sq ft)", "number", ""),
    ("attic", "Attic", "code", "attic"),
    ("garage_attached_spaces", "Attached garage (cars)", "number", ""),
    ("percent_good", "Percent good", "percent", ""),
    ("functional_obsolescence_percent", "Functional obsolescence", "percent", ""),
    ("external_obsolescence_percent", "External obsolescence", "percent", ""),
    ("percent_complete", "Complete", "percent", ""),
)
# Shown only when they say something out of the ordinary.
_QUIET = {
    "functional_obsolescence_percent": Decimal(0),
    "external_obsolescence_percent": Decimal(0),
    "percent_complete": Decimal(100),
}
_EFFECTIVE_SHARE = "effective_share"
MOST_PHOTOS = 24


def land_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Land lines with their factors."""
    card = read_card(property_id, scope)
    return {
        "lines": [_land_line(row, card) for row in card.card.land_lines],
        "total_acres": card.property["total_acres"],
    }


def _land_line(row: Row, card: CardRecord) -> dict[str, Any]:
    factors = ("size_factor", "site_index", "condition_factor", "neighbourhood_factor")
    return {
        **row,
        "kind": card.label("land_type", row["land_type"]) or words(row["land_type"]),
        "use": card.label("use", row["use_code"]) or row["use_code"],
        "unit": LandLine.Unit(row["unit"]).label if row["unit"] in LandLine.Unit.values else row["unit"],
        "factors": [Decimal(str(row[name])) for name in factors],
        "classified_use": words(row["classified_use"]) if row["classified_use"] else "",
    }


def buildings_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Buildings with their characteristics, sections and sketch."""
    card = read_card(property_id, scope)
    return {"buildings": [_building(row, card) for row in card.card.buildings]}


def _building(row: Row, card: CardRecord) -> dict[str, Any]:
    sections = [
        _section(each, card) for each in card.card.sections if str(each["building_id"]) == str(row["id"])
    ]
    areas = [section["area_sqft"] for section in sections]
    effective = [section["effective_area_sqft"] for section in sections]
    use = card.label("use", row.get("use_code")) or card.label("style", row.get("style"))
    return {
        "key": str(row["id"]),
        "title": f"Building {row['building_number']}" + (f": {use}" if use else ""),
        "is_synthetic": row.get("is_synthetic"),
        "facts": list(_facts(row, card)),
        "sections": sections,
        "area_sqft": sum(areas),
        "effective_area_sqft": None if None in effective else sum(effective),
        "drawing": draw_sketch([section["shape"] for section in sections]),
    }


def _facts(row: Row, card: CardRecord) -> Iterable[tuple[str, str]]:
    estimated = set(row.get("estimated_fields") or ())
    for name, label, kind, table in BUILDING_FACTS:
        value = row.get(name)
        if value is None or value == "" or (name in _QUIET and Decimal(str(value)) == _QUIET[name]):
            continue
        text = _written(value, kind, table, card)
        yield label, f"{text} (estimated)" if name in estimated else text


def _written(value: Any, kind: str, table: str, card: CardRecord) -> str:
    if kind == "code":
        return card.label(table, value) or plain(value)
    if kind == "plain":
        return plain(value)
    if kind == "percent":
        return f"{number(value)} %"
    return number(value, 1) if kind == "number1" else number(value)


def _section(row: Row, card: CardRecord) -> dict[str, Any]:
    label, area = str(row["label"]), Decimal(str(row["area_sqft"]))
    attributes = card.attributes("section", label)
    factor = attributes.get(_EFFECTIVE_SHARE)
    is_living = bool(attributes.get("living_share", 1))
    meaning = card.label("section", label)
    return {
        "label": f"{label} {meaning}" if meaning and meaning != label else label,
        "storey": row["storey"],
        "area_sqft": area,
        "factor": factor,
        "effective_area_sqft": None if factor is None else area * Decimal(str(factor)),
        "shape": SketchSection(
            label,
            [(float(x), float(y)) for x, y in row["points_ft"] or ()],
            float(area),
            is_living_area=is_living,
        ),
    }


def features_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Outbuildings, yard improvements and extra features."""
    card = read_card(property_id, scope)
    return {"features": [_feature(row, card) for row in card.card.features]}


def _feature(row: Row, card: CardRecord) -> dict[str, Any]:
    unit = str(row["unit"])
    return {
        **row,
        "title": row["description"] or card.label("feature", row["code"]) or row["code"],
        "condition": card.label("condition", row["condition"]) or row["condition"],
        "quantity": f"{number(row['quantity'])} {'' if unit == 'each' else unit}".strip(),
    }


def owners_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Who owns, now and before; what is confidential comes suppressed for those who may not see it."""
    return {"owners": [_owner(row) for row in read_card(property_id, scope).card.owners]}


def _owner(row: Row) -> dict[str, Any]:
    place = f"{row['mailing_state']} {row['mailing_zip']}".strip()
    parts = (row["mailing_address"], row["mailing_city"], place)
    return {
        **row,
        "name": f"{row['name']} & {row['co_name']}" if row["co_name"] else row["name"],
        "mailing": ", ".join(part for part in parts if part),
    }


def permits_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Building permits, latest first."""
    return {"permits": [_permit(row) for row in reversed(read_card(property_id, scope).card.permits)]}


def _permit(row: Row) -> dict[str, Any]:
    if row["occupancy_certified_on"]:
        state = f"Occupied {day(row['occupancy_certified_on'])}"
    elif row["closed_on"]:
        state = f"Closed {day(row['closed_on'])}"
    else:
        complete = row["percent_complete"]
        state = "Open" if complete is None else f"Open, {number(complete)} % complete"
    work = " · ".join(
        part for part in (words(row["kind"]) if row["kind"] else "", row["description"]) if part
    )
    return {**row, "work": work, "state": state}


def photos_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Photos whose bytes are here and verified; the front first, then the latest; and how many are not."""
    here = (Photo.State.VERIFIED, Photo.State.PROCESSED, Photo.State.UNPROCESSABLE)
    every = read_card(property_id, scope).card.photos
    rows = [row for row in every if row["state"] in here]
    rows.sort(key=lambda row: (row["is_primary"], str(row["taken_at"] or row["created_at"])), reverse=True)
    return {
        "photos": [_photo(row, scope) for row in rows[:MOST_PHOTOS]],
        "awaited": len(every) - len(rows),
        "may_have_originals": scope.may("view_originals"),
    }


_NOT_DRAWN = {
    Photo.State.VERIFIED: "The picture is being drawn.",
    Photo.State.PROCESSED: "No picture was drawn.",
    Photo.State.UNPROCESSABLE: "No picture could be drawn; the file is kept as it came.",
}


def _photo(row: Row, scope: PageScope) -> dict[str, Any]:
    what = words(row["role"]) if row["role"] else "Photo"
    taken = day(row["taken_at"]) if row["taken_at"] else ""
    is_drawn = bool(row["web_sha256"])
    return {
        "url": _photo_url(row, "web", scope) if is_drawn else "",
        "thumbnail_url": _photo_url(row, "thumbnail", scope) if is_drawn else "",
        "original_url": _photo_url(row, "original", scope),
        "state": "" if is_drawn else _NOT_DRAWN[row["state"]],
        "warnings": [one["text"] if isinstance(one, dict) else str(one) for one in row["warnings"]],
        "alt": f"{what}, taken {taken}" if taken else what,
        "caption": f"{what} {taken}".strip(),
    }


def _photo_url(row: Row, size: str, scope: PageScope) -> str:
    return reverse("photo", kwargs={"town": scope.town.slug, "photo_id": row["id"], "size": size})


def inspections_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Visits, latest first, with what each brought."""
    card = read_card(property_id, scope)
    rows = (
        Inspection.objects.filter(property_id=property_id)
        .select_related("inspected_by")
        .annotate(
            seen=Count("observations"),
            waiting=Count("observations", filter=Q(observations__state__in=("pending", "conflict"))),
        )
        .order_by("-visited_at")[:20]
    )
    return {
        "inspections": [
            {
                "inspected_on": row.visited_at,
                "by": row.inspected_by.name if row.inspected_by else None,
                "entry": card.label("entry", row.entry_code) or row.entry_code,
                "source": words(row.interior_source) if row.interior_source else None,
                "purpose": words(row.purpose),
                "observations": row.seen,
                "pending": row.waiting,
            }
            for row in rows
        ]
    }


def history_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """The journal: who, when, why, before and after."""
    entries, more = list_told_history(property_id, scope, size=ON_CARD)
    url = reverse("property-history", kwargs={"town": scope.town.slug, "property_id": property_id})
    return {"entries": entries, "more_url": f"{url}?before={more}" if more else ""}


def sales_panel(property_id: UUID, scope: PageScope) -> Mapping[str, Any]:
    """Transfers of the property, newest first, with what each may be used for."""
    return {
        "sales": [
            {
                "url": reverse("sale", kwargs={"town": scope.town.slug, "transfer_id": row.id}),
                "sold_on": row.recorded_on,
                "price": row.price,
                "validity": row.validity,
                "reason": row.decided_reason or words(row.suggested_reason),
                "decided_by": row.decided_by.name if row.decided_by else "",
                "nonuse_code": row.nonuse_code,
            }
            for row in list_property_transfers(property_id)
        ]
    }
