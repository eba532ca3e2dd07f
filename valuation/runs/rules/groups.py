"""Use groups, state detail codes, and the parts of a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

GROUPS = (
    "single",
    "multi",
    "condo",
    "mobile",
    "apartment",
    "commercial",
    "industrial",
    "utility",
    "vacant",
    "use_value",
)
"""Kinds of property that share a market; each gets a local factor where its sales allow."""

_CLASS_GROUP = {
    "200": "commercial", "300": "industrial", "400": "utility", "500": "vacant", "600": "use_value",
    "700": "use_value", "800": "apartment",
}  # fmt: skip
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("condo", re.compile(r"\bcondo", re.IGNORECASE)),
    ("mobile", re.compile(r"\bmobile|\bmanufactured home|\btrailer", re.IGNORECASE)),
    (
        "multi",
        re.compile(r"\b(two|three|four|2|3|4)[ -]?(fam|unit)|\bmulti|\bduplex|\btriplex", re.IGNORECASE),
    ),
    ("apartment", re.compile(r"\bapt\b|\bapartment", re.IGNORECASE)),
)


def use_group(state_class: str, words: str, *, in_complex: bool, has_building: bool) -> str:
    """Return the group of a property.

    Parameters
    ----------
    state_class : str
        OPM class (100 to 800), blank when the town's use code is not mapped.
    words : str
        What the card says of use, style and occupancy.
    in_complex : bool
        The property is a unit of a condominium.
    """
    if in_complex:
        return "condo"
    group = _CLASS_GROUP.get(state_class, "")
    if group in ("", "commercial", "industrial") and _WORDS[0][1].search(words):
        return "condo"
    if group:
        return group
    for name, pattern in _WORDS:
        if pattern.search(words):
            return name
    return "single" if has_building else "vacant"


@cache
def component_codes() -> Mapping[str, Mapping[str, str]]:
    """Return the state detail code of each part by OPM class."""
    path = Path(__file__).parents[1] / "parameters" / "component_codes.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: {part: str(code) for part, code in row.items()} for name, row in plain["classes"].items()}


def codes_of(state_class: str, group: str) -> Mapping[str, str]:
    """Return the detail code of each part of one property; residential where the class is not known.

    A condominium unit is one line; a mobile home on its own land has a line of its own beside the land.
    """
    known = component_codes()
    row = dict(known.get(state_class) or known["500" if group == "vacant" else "100"])
    if group == "condo" and "condominium" in row:
        return dict.fromkeys(("primary_land", "excess_land", "building"), row["condominium"]) | {
            "outbuildings": row["condominium"]
        }
    if group == "mobile" and "mobile_home" in row:
        row["building"] = row["mobile_home"]
    return row


@cache
def review_defaults() -> Mapping[str, float]:
    """Return the defaults of a run."""
    path = Path(__file__).parents[1] / "parameters" / "review.yaml"
    plain: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {name: float(entry["value"]) for name, entry in plain.items()}
