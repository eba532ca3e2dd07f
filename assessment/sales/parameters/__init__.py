"""Dated parameters of sales, read once from the YAML files beside this module."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assessment.sales.rules.validity import NonuseCode, ValidityRules


@cache
def _values(name: str) -> list[dict[str, Any]]:
    text = (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8")
    return sorted(yaml.safe_load(text)["values"], key=lambda entry: entry["valid_from"])


def _in_force(name: str, day: dt.date) -> Any:
    """Return the value in force on a day; before the first one, the first."""
    entries = _values(name)
    begun = [entry for entry in entries if entry["valid_from"] <= day]
    return (begun or entries)[0 if not begun else -1]["value"]


def validity_rules(day: dt.date) -> ValidityRules:
    """Return the rules by which a transfer recorded on ``day`` is judged."""
    return _rules(_first_day(day))


def _first_day(day: dt.date) -> dt.date:
    """Return the last day up to ``day`` on which any parameter changed, so that rules are built once."""
    changes: list[dt.date] = [
        entry["valid_from"] for name in ("nonuse_codes", "minimum_price") for entry in _values(name)
    ]
    return max((change for change in changes if change <= day), default=min(changes))


@cache
def _rules(day: dt.date) -> ValidityRules:
    codes = {
        code: NonuseCode(code, entry["label"], entry["about"])
        for code, entry in _in_force("nonuse_codes", day).items()
    }
    return ValidityRules(codes=codes, minimum_price=int(_in_force("minimum_price", day)))


@dataclass(frozen=True)
class ScreeningRules:
    """How many years of sales are screened, the least size of a group, and the limit in standard deviations."""

    years: int
    least: int
    limit: float


def screening_rules(day: dt.date) -> ScreeningRules:
    """Return the rules of the screen in force on a day."""
    plain = _in_force("screening", day)
    return ScreeningRules(int(plain["years"]), int(plain["least"]), float(plain["limit"]))
