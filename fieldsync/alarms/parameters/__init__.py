"""Thresholds of the alarms, read once from the YAML file beside this module."""

from functools import cache
from importlib.resources import files

import yaml

from fieldsync.alarms.rules import Thresholds


@cache
def thresholds() -> Thresholds:
    """Return the thresholds in ``alarms.yaml``."""
    stated = yaml.safe_load((files(__package__) / "alarms.yaml").read_text(encoding="utf-8"))["thresholds"]
    return Thresholds(**{name: entry["value"] for name, entry in stated.items()})
