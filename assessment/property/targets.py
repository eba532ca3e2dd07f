"""The rows of a card that can be seen and changed field by field, and values as JSON carries them."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from assessment.property.models import Building, Feature, LandLine, Property, Section
from assessment.region.errors import Invalid

TARGETS: dict[str, type[models.Model]] = {
    "property": Property,
    "building": Building,
    "land_line": LandLine,
    "section": Section,
    "feature": Feature,
}
WHOLE_ROW = "*"
_FIXED = frozenset({"id", "town_id", "property_id", "version", "updated_at", "account_number", "kind"})


def target_model(target_kind: str) -> type[models.Model]:
    """Return the model of a kind of row; `Invalid` for an unknown kind."""
    try:
        return TARGETS[target_kind]
    except KeyError:
        raise Invalid(f"{target_kind!r} is no part of a card.", target_kind=target_kind) from None


@cache
def changeable_fields(target_kind: str) -> Mapping[str, models.Field[Any, Any]]:
    """Return the columns of a kind of row that may be changed, by name."""
    fields = target_model(target_kind)._meta.concrete_fields
    return {field.attname: field for field in fields if field.attname not in _FIXED}


def read_value(target_kind: str, name: str, value: Any) -> Any:
    """Return a JSON value as the column holds it.

    Raises
    ------
    Invalid
        The row has no such field, or the value does not fit it.
    """
    field = changeable_fields(target_kind).get(name)
    if field is None:
        raise Invalid(f"{target_kind} has no field {name!r} that can be changed.", field=name)
    if value is None or (value == "" and not isinstance(field, models.CharField | models.TextField)):
        if not field.null:
            if isinstance(field, models.CharField | models.TextField):
                return ""
            raise Invalid(f"{name} must have a value.", field=name)
        return None
    if isinstance(field, models.DecimalField) and isinstance(value, float):
        value = str(value)
    if isinstance(field, models.IntegerField) and (isinstance(value, bool) or _has_fraction(value)):
        raise Invalid(f"{name} must be a whole number.", field=name)
    try:
        made = field.to_python(value)
        if isinstance(field, models.DecimalField):
            made = Decimal(made).quantize(Decimal(1).scaleb(-field.decimal_places), ROUND_HALF_UP)
        field.run_validators(made)
    except (ValidationError, ArithmeticError, ValueError, TypeError) as error:
        reason = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
        raise Invalid(f"{name}: {reason or 'not usable'}", field=name) from error
    if isinstance(made, str) and field.max_length and len(made) > field.max_length:
        raise Invalid(f"{name} is longer than {field.max_length} characters.", field=name)
    return made


def json_value(value: Any) -> Any:
    """Return a column's value as JSON carries it: whole decimals as integers, others as numbers, days as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def _has_fraction(value: Any) -> bool:
    return isinstance(value, float) and not value.is_integer()
