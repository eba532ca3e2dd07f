"""Parameters of law by date: the value in force on a day, its unit, its source and if it was checked."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


class NoValueInForceError(LookupError):
    """A parameter has no value on the day asked for."""


@dataclass(frozen=True, slots=True)
class DatedValue:
    """One value of a parameter and what it rests on."""

    valid_from: date
    value: Any
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of law or practice: what it means, its unit, and its values by date."""

    name: str
    meaning: str
    unit: str
    values: tuple[DatedValue, ...]

    def on(self, day: date) -> DatedValue:
        """Return the value in force on `day`.

        Raises
        ------
        NoValueInForceError
            When `day` is before the first value.
        """
        place = bisect_right([value.valid_from for value in self.values], day)
        if place == 0:
            raise NoValueInForceError(f"{self.name} has no value on {day.isoformat()}")
        return self.values[place - 1]


def parameter_from_mapping(name: str, raw: Mapping[str, Any]) -> Parameter:
    """Build a parameter from the mapping its YAML file holds, refusing a file that leaves something out."""
    missing = {"meaning", "unit", "values"} - set(raw)
    if missing:
        raise ValueError(f"parameter {name}: {', '.join(sorted(missing))} missing")
    values = []
    for entry in raw["values"]:
        gaps = {"valid_from", "value", "source", "verified"} - set(entry)
        if gaps:
            raise ValueError(f"parameter {name}: a value lacks {', '.join(sorted(gaps))}")
        if not isinstance(entry["verified"], bool) or not isinstance(entry["valid_from"], date):
            raise ValueError(f"parameter {name}: verified is true or false, valid_from a date")
        values.append(DatedValue(entry["valid_from"], entry["value"], entry["source"], entry["verified"]))
    if not values or sorted(values, key=lambda value: value.valid_from) != values:
        raise ValueError(f"parameter {name}: values are given oldest first, at least one")
    return Parameter(name, raw["meaning"], raw["unit"], tuple(values))
