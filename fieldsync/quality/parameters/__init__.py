"""The dated parameters of re-checks, read once from the YAML beside this module."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fieldsync.quality.rules import Agreement


@cache
def agreement_on(day: dt.date) -> Agreement:
    """Return what counts as agreement on a day; before the first entry the first holds."""
    text = (files("fieldsync.quality.parameters") / "agreement.yaml").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = yaml.safe_load(text)["values"]
    entry = ([each for each in entries if each["valid_from"] <= day] or entries[:1])[-1]
    tolerances = entry["tolerances"]
    return Agreement(
        needed_percent=Decimal(str(entry["needed_percent"])),
        shares={name: Decimal(str(t["share"])) for name, t in tolerances.items() if "share" in t},
        amounts={name: Decimal(str(t["amount"])) for name, t in tolerances.items() if "amount" in t},
        not_compared=frozenset(entry["not_compared"]),
    )
