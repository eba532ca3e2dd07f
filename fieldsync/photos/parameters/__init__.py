"""The figures by which photos are judged and kept, read once from the YAML file beside this module."""

from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import yaml

from fieldsync.photos.rules import Tolerances


@cache
def _values() -> dict[str, float]:
    text = (files(__package__) / "photos.yaml").read_text(encoding="utf-8")
    return {name: float(entry["value"]) for name, entry in yaml.safe_load(text).items()}


def value_of(name: str) -> float:
    """Return one figure of the file by its name."""
    return _values()[name]


def tolerances(zone: str) -> Tolerances:
    """Return how far a camera may differ from its tablet, where it states no zone of its own in ``zone``."""
    return Tolerances(
        time_minutes=value_of("time_tolerance_minutes"),
        time_without_zone_minutes=value_of("time_without_zone_minutes"),
        place_m=value_of("place_tolerance_m"),
        zone=ZoneInfo(zone),
    )
