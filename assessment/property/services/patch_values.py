"""Reading what a patch says of one field: as the column holds it, by the policy of the day."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
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
    return policy_of(patch.target_kind, name).at(merge_tolerances(patch.observed_on))


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


def unfit_reason(kind: str, name: str, change: Mapping[str, Any]) -> str:
    """Return why a value cannot be on a card although it is of the right kind: a sentence, or nothing.

    A person can answer that. What is of no kind that the field has raises `Invalid`.
    """
    if "new" not in change:
        raise Invalid(f"The change of {name} does not say what was seen.", field=name)
    try:
        read_new(kind, name, change["new"])
    except SketchOpen as problem:
        return problem.detail
    except Invalid:
        seen = change["new"]
        if isinstance(seen, int | float | Decimal) and seen < 0 and name in changeable_fields(kind):
            return f"The {name.replace('_', ' ')} of {seen} is less than nothing."
        raise
    return ""


def contradictions(kind: str, values: Mapping[str, Any], accepted: dict[str, Any]) -> dict[str, str]:
    """Take out of ``accepted`` what would make the row contradict itself; returns the sentences by field."""
    said: dict[str, str] = {}
    while accepted:
        drawn = shape_values(points_ft=accepted["points_ft"]) if "points_ft" in accepted else {}
        after = ChainMap(drawn, accepted, values)  # type: ignore[arg-type]
        breach = next((b for b in breaches(kind, after) if b.fields & accepted.keys()), None)
        if breach is None:
            break
        for name in breach.fields & accepted.keys():
            said[name] = breach.sentence
            del accepted[name]
    return said


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
