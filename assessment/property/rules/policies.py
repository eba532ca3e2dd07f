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
    breach = next(breaches(target_kind, values, changed=changed), None)
    return breach.sentence if breach else ""


def breaches(
    target_kind: str, values: Mapping[str, Any], *, changed: Iterable[str] | None = None
) -> Iterator[Breach]:
    """Yield everything that a row would contradict; of a change, what it takes part in."""
    touched = None if changed is None else frozenset(changed)
    for rule in _RULES.get(target_kind, ()):
        if touched is None or not touched.isdisjoint(rule.fields):
            sentence = rule.says(values)
            if sentence:
                yield Breach(sentence, rule.fields)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What must hold on a row between some of its fields: a function that says what is wrong, or nothing."""

    fields: frozenset[str]
    says: Callable[[Mapping[str, Any]], str]


def _plausible(values: Mapping[str, Any]) -> str:
    built = values.get("year_built")
    return f"A building of {built} is not plausible." if built and not 1600 <= built <= 2100 else ""


def _not_before_built(name: str, words: str) -> _Rule:
    def says(values: Mapping[str, Any]) -> str:
        built, later = values.get("year_built"), values.get(name)
        if built is None or later is None or later >= built:
            return ""
        return f"The {words} {later} is before the year built, {built}."

    return _Rule(frozenset({name, "year_built"}), says)


def _part_of(part: str, whole: str) -> _Rule:
    def says(values: Mapping[str, Any]) -> str:
        small, large = values.get(part), values.get(whole)
        if small is None or large is None or small <= large:
            return ""
        return f"The {_words(part)} {small} is more than the {_words(whole)} {large}."

    return _Rule(frozenset({part, whole}), says)


def _share(name: str) -> _Rule:
    def says(values: Mapping[str, Any]) -> str:
        share = values.get(name)
        return "" if share is None or 0 <= share <= 100 else f"{name} of {share} is no percentage."

    return _Rule(frozenset({name}), says)


def _amount(name: str) -> _Rule:
    def says(values: Mapping[str, Any]) -> str:
        amount = values.get(name)
        if amount is None or amount >= 0:
            return ""
        return f"The {_words(name)} of {amount} is less than nothing."

    return _Rule(frozenset({name}), says)


def _retirement(values: Mapping[str, Any]) -> str:
    if values.get("is_retired") and values.get("retired_on") is None:
        return "A retired property needs the day on which it was retired."
    return ""


def _outline(values: Mapping[str, Any]) -> str:
    points, area = values.get("points_ft"), values.get("area_sqft")
    if not points or area is None:
        return ""
    drawn = area_sqft(points)
    if abs(float(area) - drawn) <= max(1.0, drawn / 100):
        return ""
    return f"The area {area} is not that of the outline, {drawn:.0f}."


_RULES: dict[str, tuple[_Rule, ...]] = {
    "property": (
        _Rule(frozenset({"is_retired", "retired_on"}), _retirement),
        _share("common_interest_percent"),
        _amount("total_acres"),
        _amount("land_sqft"),
        _amount("frontage_ft"),
    ),
    "building": (
        _Rule(frozenset({"year_built"}), _plausible),
        _not_before_built("effective_year_built", "effective year"),
        _not_before_built("remodelled_year", "year of remodelling"),
        _part_of("living_area_sqft", "gross_area_sqft"),
        _part_of("finished_basement_sqft", "basement_area_sqft"),
        _part_of("bedrooms", "total_rooms"),
        _share("percent_complete"),
        _share("percent_good"),
        _share("functional_obsolescence_percent"),
        _share("external_obsolescence_percent"),
        _amount("living_area_sqft"),
        _amount("gross_area_sqft"),
        _amount("effective_area_sqft"),
        _amount("basement_area_sqft"),
        _amount("finished_basement_sqft"),
    ),
    "section": (
        _Rule(frozenset({"points_ft", "area_sqft"}), _outline),
        _amount("area_sqft"),
        _amount("perimeter_ft"),
    ),
    "land_line": (_amount("quantity"), _amount("depth_ft")),
    "feature": (_share("percent_complete"), _share("percent_good"), _amount("quantity")),
}


def _words(name: str) -> str:
    return name.removesuffix("_sqft").removesuffix("_ft").replace("_", " ")
