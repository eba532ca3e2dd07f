"""How each field of the record merges with what the field saw, and what must hold on a card afterwards.

A field that is not named here waits for a person when both sides changed it. Pure.
"""

from collections.abc import Mapping
from typing import Any

from assessment.property.merge import APPEND, CONFLICT, FIELD_WINS, OFFICE_WINS, SET, MergePolicy, within

# Whole squares of tape and laser readings, and of rounding to feet.
_AREA = within(5)

POLICIES: dict[str, dict[str, MergePolicy]] = {
    "property": {
        "comment": APPEND,
        "location_x_ft": within(30),
        "location_y_ft": within(30),
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
    "section": {"area_sqft": within(5), "perimeter_ft": within(2)},
    "feature": {"condition": FIELD_WINS, "percent_complete": FIELD_WINS, "detail_code": OFFICE_WINS},
}


def policy_of(target_kind: str, field: str) -> MergePolicy:
    """Return the declared policy of a field; a conflict for a person where none is declared."""
    return POLICIES.get(target_kind, {}).get(field, CONFLICT)


def broken_invariant(target_kind: str, values: Mapping[str, Any]) -> str:
    """Return what a row would contradict, as a sentence, or nothing.

    Parameters
    ----------
    values
        The row as it would be.
    """
    if target_kind == "building":
        return _broken_building(values)
    if target_kind == "property" and values.get("is_retired") and values.get("retired_on") is None:
        return "A retired property needs the day on which it was retired."
    return ""


def _broken_building(values: Mapping[str, Any]) -> str:
    built, effective = values.get("year_built"), values.get("effective_year_built")
    if built is not None and not 1600 <= built <= 2100:
        return f"A building of {built} is not plausible."
    if built is not None and effective is not None and effective < built:
        return f"The effective year {effective} is before the year built, {built}."
    living, gross = values.get("living_area_sqft"), values.get("gross_area_sqft")
    if living is not None and gross is not None and living > gross:
        return f"The living area {living} is more than the gross area {gross}."
    for name in ("percent_complete", "percent_good"):
        share = values.get(name)
        if share is not None and not 0 <= share <= 100:
            return f"{name} of {share} is no percentage."
    return ""
