"""Dated parameters of the record, read once from the YAML files beside this module."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@cache
def merge_tolerances(on: dt.date) -> Mapping[str, Decimal]:
    """Return how far field and office may differ, by the name of the measure, as of a day."""
    tolerances = {}
    for name, entry in _merge_file().items():
        values = [row["value"] for row in entry["values"] if row["valid_from"] <= on]
        # Before the first entry the first holds: a field seen long ago merges too.
        tolerances[name] = Decimal(str(values[-1] if values else entry["values"][0]["value"]))
    return tolerances


@cache
def _merge_file() -> Mapping[str, Any]:
    text = (files("assessment.property.parameters") / "merge_tolerances.yaml").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = yaml.safe_load(text)
    return loaded
