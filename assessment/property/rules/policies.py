"""How each field of the record merges with what the field saw, and what must hold on a card afterwards.

A field that is not named here waits for a person when both sides changed it. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assessment.property.merge import (
    APPEND,
    CONFLICT,
    FIELD_WINS,
    OFFICE_WINS,
    SET,
    MergePolicy,
    PolicyKind,
    measured,
)
from assessment.property.rules.sketch import area_sqft

_AREA = measured("area_sqft")
_POSITION = measured("position_ft")

POLICIES: dict[str, dict[str, MergePolicy]] = {
    "property": {
        "comment": APPEND,
        "location_x_ft": _POSITION,
        "location_y_ft": _POSITION,
        "use_code": OFFICE_WINS,
        "use_description": OFFICE_WINS,
        "state_class": OFFICE_WINS,
        "exempt_code": OFFICE_WINS,
        "zoning": OFFICE_WINS,
        "census_tract": OFFICE_WINS,
        "complex_id": OFFICE_WINS,
        "common_interest_percent": OFFICE_WINS,
        "total_acres": OFFICE_WINS,
        "is_retired": OFFICE_WINS,
        "retired_on": OFFICE_WINS,
    },
    "building": {
        "condition": FIELD_WINS,
        "percent_complete": FIELD_WINS,
        "living_area_sqft": _AREA,
        "gross_area_sqft": _AREA,
        "effective_area_sqft": _AREA,
        "basement_area_sqft": _AREA,
        "finished_basement_sqft": _AREA,
        "estimated_fields": SET,
        "detail_code": OFFICE_WINS,
        "functional_obsolescence_percent": OFFICE_WINS,
        "external_obsolescence_percent": OFFICE_WINS,
    },
    "land_line": {"detail_code": OFFICE_WINS, "classified_use": OFFICE_WINS, "note": APPEND},
    "section": {
        "points_ft": measured("outline_snap_ft", PolicyKind.SHAPE),
        "area_sqft": measured("section_area_sqft"),
        "perimeter_ft": measured("perimeter_ft"),
    },
    "feature": {"condition": FIELD_WINS, "percent_complete": FIELD_WINS, "detail_code": OFFICE_WINS},
}


def policy_of(target_kind: str, field: str) -> MergePolicy:
    """Return the declared policy of a field; a conflict for a person where none is declared."""
    return POLICIES.get(target_kind, {}).get(field, CONFLICT)


@dataclass(frozen=True, slots=True)
class Breach:
    """What a row would contradict: a sentence, and the fields that say it together."""

    sentence: str
    fields: frozenset[str]


def broken_invariant(
    target_kind: str, values: Mapping[str, Any], *, changed: Iterable[str] | None = None
) -> str:
    """Return what a row would contradict, as a sentence, or nothing.

    Parameters
    ----------
    values
        The row as it would be.
    changed
        The fields that a change touches; a contradiction that was on record before is not its fault.
    """
    touched = None if changed is None else frozenset(changed)
    for breach in breaches(target_kind, values):
        if touched is None or breach.fields & touched:
            return breach.sentence
    return ""


def breaches(target_kind: str, values: Mapping[str, Any]) -> Iterator[Breach]:
    """Yield everything that a row would contradict."""
    for rule in _RULES.get(target_kind, ()):
        for sentence, fields in rule(values):
            yield Breach(sentence, frozenset(fields))


_Found = Iterator[tuple[str, tuple[str, ...]]]


def _ages(values: Mapping[str, Any]) -> _Found:
    built = values.get("year_built")
    if built is None:
        return
    if not 1600 <= built <= 2100:
        yield f"A building of {built} is not plausible.", ("year_built",)
    for name, words in (
        ("effective_year_built", "effective year"),
        ("remodelled_year", "year of remodelling"),
    ):
        later = values.get(name)
        if later is not None and later < built:
            yield f"The {words} {later} is before the year built, {built}.", (name, "year_built")


def _parts_and_wholes(values: Mapping[str, Any]) -> _Found:
    for part, whole in _PARTS:
        small, large = values.get(part), values.get(whole)
        if small is not None and large is not None and small > large:
            yield f"The {_words(part)} {small} is more than the {_words(whole)} {large}.", (part, whole)


def _shares(values: Mapping[str, Any]) -> _Found:
    for name in _SHARES:
        share = values.get(name)
        if share is not None and not 0 <= share <= 100:
            yield f"{name} of {share} is no percentage.", (name,)


def _amounts(values: Mapping[str, Any]) -> _Found:
    for name in _AMOUNTS:
        amount = values.get(name)
        if amount is not None and amount < 0:
            yield f"The {_words(name)} of {amount} is less than nothing.", (name,)


def _retirement(values: Mapping[str, Any]) -> _Found:
    if values.get("is_retired") and values.get("retired_on") is None:
        yield "A retired property needs the day on which it was retired.", ("is_retired", "retired_on")


def _outline(values: Mapping[str, Any]) -> _Found:
    points, area = values.get("points_ft"), values.get("area_sqft")
    if not points or area is None:
        return
    drawn = area_sqft(points)
    if abs(float(area) - drawn) > max(1.0, drawn / 100):
        yield f"The area {area} is not that of the outline, {drawn:.0f}.", ("area_sqft", "points_ft")


_PARTS = (
    ("living_area_sqft", "gross_area_sqft"),
    ("finished_basement_sqft", "basement_area_sqft"),
    ("bedrooms", "total_rooms"),
)
_SHARES = (
    "percent_complete",
    "percent_good",
    "functional_obsolescence_percent",
    "external_obsolescence_percent",
    "common_interest_percent",
)
_AMOUNTS = (
    "living_area_sqft",
    "gross_area_sqft",
    "effective_area_sqft",
    "basement_area_sqft",
    "finished_basement_sqft",
    "area_sqft",
    "perimeter_ft",
    "quantity",
    "depth_ft",
    "total_acres",
    "land_sqft",
    "frontage_ft",
)
_RULES: dict[str, tuple[Callable[[Mapping[str, Any]], _Found], ...]] = {
    "property": (_retirement, _shares, _amounts),
    "building": (_ages, _parts_and_wholes, _shares, _amounts),
    "section": (_amounts, _outline),
    "land_line": (_amounts,),
    "feature": (_shares, _amounts),
}


def _words(name: str) -> str:
    return name.removesuffix("_sqft").removesuffix("_ft").replace("_", " ")
