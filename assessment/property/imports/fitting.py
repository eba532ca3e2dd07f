"""Values of a card as the record's columns hold them, and rows made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

from django.db import models

from assessment.property.models import Building, Owner, Property
from assessment.property.rules.addresses import split_address
from assessment.property.tabular.cards import Card
from assessment.property.tabular.converters import ConversionError
from assessment.property.tabular.problems import Reason

_MODELS: dict[str, type[models.Model]] = {"property": Property, "building": Building, "owner": Owner}
_WHOLE_LIMITS = {
    "PositiveSmallIntegerField": 32_767,
    "PositiveIntegerField": 2_147_483_647,
    "BigIntegerField": 2**62,
}
COMPONENTS = ("land", "building", "extra", "outbuilding", "total")


@dataclass(slots=True)
class FittedCard:
    """A card whose values fit the columns of the record.

    Attributes
    ----------
    aliases
        Identifier by type.
    property_values, building_values, owner_values
        Column values that the file states; an empty mapping where it states nothing.
    stated
        By (list year, component): appraised and assessed dollars, or None.
    """

    card: Card
    aliases: dict[str, str]
    property_values: dict[str, Any]
    building_values: dict[str, Any]
    owner_values: dict[str, Any]
    stated: dict[tuple[int, str], tuple[int | None, int | None]]

    @property
    def address(self) -> str:
        """The location as one line; blank when the file has none."""
        return str(self.property_values.get("address", ""))


def fit_card(card: Card, *, list_year: int) -> FittedCard:
    """Return a card's values as the columns hold them.

    Raises
    ------
    ConversionError
        A value is too long or too large for its column; the sentence names it.
    """
    property_values = _fit_part("property", card.parts.get("property", {}))
    if address := property_values.get("address"):
        parts = split_address(address)
        fitters = _fitters("property")
        for name, text in (("address_number", parts.number), ("street_name", parts.street)):
            property_values[name] = fitters[name](text)
        if parts.unit:
            property_values.setdefault("unit", fitters["unit"](parts.unit))
    if user := card.parts.get("user"):
        property_values["user_fields"] = {slot: str(value) for slot, value in sorted(user.items())}
    return FittedCard(
        card=card,
        aliases={kind: str(value) for kind, value in card.parts.get("alias", {}).items()},
        property_values=property_values,
        building_values=_fit_part("building", card.parts.get("building", {})),
        owner_values=_fit_part("owner", card.parts.get("owner", {})),
        stated=_fit_stated(card, list_year),
    )


def _fit_part(part: str, values: Mapping[str, Any]) -> dict[str, Any]:
    fitters = _fitters(part)
    return {name: fitters[name](value) for name, value in values.items()}


@cache
def _fitters(part: str) -> dict[str, Callable[[Any], Any]]:
    """Return, by column, what makes a value fit it, or refuses it."""
    return {field.attname: _fitter(field) for field in _MODELS[part]._meta.concrete_fields}


def _fitter(field: models.Field[Any, Any]) -> Callable[[Any], Any]:
    name = field.attname
    if isinstance(field, models.DecimalField):
        return _decimal_fitter(name, field.max_digits, field.decimal_places)
    limit = _WHOLE_LIMITS.get(field.get_internal_type())
    if limit is not None:
        return _whole_fitter(name, limit)
    if isinstance(field, models.CharField) and field.max_length:
        return _text_fitter(name, field.max_length)
    return lambda value: value


def _decimal_fitter(name: str, digits: int, decimal_places: int) -> Callable[[Any], Any]:
    places = Decimal(1).scaleb(-decimal_places)
    limit = Decimal(10) ** (digits - decimal_places)

    def fit(value: Any) -> Decimal:
        number = Decimal(value).quantize(places, ROUND_HALF_UP)
        if abs(number) >= limit:
            raise ConversionError(Reason.OUT_OF_RANGE, f"{name} is {value}, larger than the record can hold")
        return number

    return fit


def _whole_fitter(name: str, limit: int) -> Callable[[Any], Any]:
    def fit(value: Any) -> Any:
        if not 0 <= value <= limit:
            raise ConversionError(Reason.OUT_OF_RANGE, f"{name} is {value}, outside of 0 to {limit}")
        return value

    return fit


def _text_fitter(name: str, max_length: int) -> Callable[[Any], Any]:
    def fit(value: Any) -> Any:
        if len(str(value)) > max_length:
            raise ConversionError(Reason.TOO_LONG, f"{name} is longer than {max_length} characters")
        return value

    return fit


def _fit_stated(card: Card, list_year: int) -> dict[tuple[int, str], tuple[int | None, int | None]]:
    stated: dict[tuple[int, str], tuple[int | None, int | None]] = {}
    year = int(card.parts.get("stated", {}).get("list_year") or list_year)
    for part, its_year in (("stated", year), ("prior", year - 1)):
        values = card.parts.get(part)
        if not values:
            continue
        its_year = int(values.get("list_year") or its_year)
        for component in COMPONENTS:
            pair = (values.get(f"appraised_{component}"), values.get(f"assessed_{component}"))
            if pair != (None, None):
                stated[(its_year, component)] = pair
        for component in ("exemption", "net"):
            if component in values:
                stated[(its_year, component)] = (None, values[component])
    return stated
