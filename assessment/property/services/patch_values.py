"""Reading what a patch says of one field: as the column holds it, by the policy of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import models
from django.utils import timezone

from assessment.property.merge import MergePolicy
from assessment.property.parameters import merge_tolerances
from assessment.property.rules.policies import breaches, policy_of
from assessment.property.services.patch_types import CardPatch
from assessment.property.services.sketch import SketchOpen, shape_values
from assessment.property.targets import WHOLE_ROW, changeable_fields, read_value, target_model
from assessment.region.errors import Invalid

# Given by the server: two tablets that each find a second outbuilding do not clash over its number.
SERVERS_NUMBERS = frozenset({"building_number", "line_number"})


class RowValues(Mapping[str, Any]):
    """A row's changeable columns, read when they are asked for: a card has fifty, a patch names three."""

    def __init__(self, kind: str, row: models.Model) -> None:
        self._names, self._row = changeable_fields(kind), row

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return getattr(self._row, name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name: str, default: Any = None) -> Any:
        return getattr(self._row, name) if name in self._names else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def is_target(kind: str) -> bool:
    """Whether there are rows of this kind on a card."""
    try:
        target_model(kind)
    except Invalid:
        return False
    return True


def is_addition(patch: CardPatch) -> bool:
    """Whether a patch brings a row that was found in the field."""
    change = patch.changes.get(WHOLE_ROW)
    return change is not None and change.get("new") is not None


def folded(patch: CardPatch) -> CardPatch:
    """Return a patch of a whole row with fields named beside it folded into the row."""
    others = {name: change for name, change in patch.changes.items() if name != WHOLE_ROW}
    if not others:
        return patch
    row = patch.changes[WHOLE_ROW]
    if not isinstance(row.get("new"), Mapping):
        raise Invalid("A row that is gone has no fields to change.")
    new = {**row["new"], **{name: change.get("new") for name, change in others.items()}}
    return replace(patch, changes={WHOLE_ROW: {**row, "new": new}})


def policy_for(patch: CardPatch, name: str) -> MergePolicy:
    """Return the policy of a field with the tolerances of the day on which it was seen."""
    return _policy_on(patch.target_kind, name, patch.observed_on)


@lru_cache(maxsize=4096)
def _policy_on(kind: str, name: str, day: dt.date) -> MergePolicy:
    return policy_of(kind, name).at(merge_tolerances(day))


def read_new(kind: str, name: str, value: Any) -> Any:
    """Return what was seen as the column holds it; raise `Invalid` when it does not fit."""
    read = read_value(kind, name, value)
    if kind == "section" and name == "points_ft":
        return shape_values(points_ft=read)["points_ft"]
    return read


def read_base(kind: str, name: str, base: Any) -> Any:
    """Return a value that a device says it saw; one that no longer fits the column is simply another value."""
    try:
        return read_value(kind, name, base)
    except Invalid:
        return base


def read_fitting(kind: str, name: str, change: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what was seen as the column holds it, and why it cannot be on a card although of the right kind.

    A person can answer the latter. What is of no kind that the field has raises `Invalid`.
    """
    if "new" not in change:
        raise Invalid(f"The change of {name} does not say what was seen.", field=name)
    seen = change["new"]
    try:
        return read_new(kind, name, seen), ""
    except SketchOpen as problem:
        return None, problem.detail
    except Invalid:
        if isinstance(seen, int | float | Decimal) and seen < 0 and name in changeable_fields(kind):
            return None, f"The {name.replace('_', ' ')} of {seen} is less than nothing."
        raise


def contradictions(kind: str, values: Mapping[str, Any], accepted: dict[str, Any]) -> dict[str, str]:
    """Take out of ``accepted`` what would make the row contradict itself; returns the sentences by field."""
    said: dict[str, str] = {}
    while accepted:
        drawn = shape_values(points_ft=accepted["points_ft"]) if "points_ft" in accepted else {}
        after = _After(drawn, accepted, values) if drawn else _After(accepted, values)
        breach = next(breaches(kind, after, changed=accepted), None)
        if breach is None:
            break
        for name in breach.fields & accepted.keys():
            said[name] = breach.sentence
            del accepted[name]
    return said


class _After(Mapping[str, Any]):
    """The first of several mappings that has a name: `ChainMap` without its cost."""

    def __init__(self, *maps: Mapping[str, Any]) -> None:
        self._maps = maps

    def get(self, name: str, default: Any = None) -> Any:
        for each in self._maps:
            if name in each:
                return each[name]
        return default

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._maps[-1])

    def __len__(self) -> int:
        return len(self._maps[-1])


def signature(author: str, patch: CardPatch) -> str:
    """Return who saw it and when, as it is put before a note."""
    if patch.captured_at is None:
        return f"{author}, {patch.observed_on.isoformat()}"
    return f"{author}, {timezone.localtime(patch.captured_at):%Y-%m-%d %H:%M}"


def read_id(value: Any) -> UUID:
    """Return an id; raise `Invalid` when it is none."""
    try:
        return UUID(str(value))
    except ValueError as error:
        raise Invalid(f"{value!r} is no id.") from error
