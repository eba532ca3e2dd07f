"""A mapping file: which column of somebody's table is which field of our record.

docs/imports.md describes the format. A mapping is checked when it is loaded, against the list
of targets, so a slip of the pen is found before the first row is read.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from assessment.property.tabular import converters, units
from assessment.property.tabular.headers import normalise_header
from assessment.property.tabular.problems import MappingInvalid
from assessment.property.tabular.targets import FIELD_KEYS, TARGETS

_SALES = tuple(f"sale{number}" for number in range(10))
_ON_UNKNOWN = ("add", "accept", "blank", "reject")
_ON_BAD = ("reject", "blank")


@dataclass(frozen=True, slots=True)
class CodeEntry:
    """What a vendor's code is in the town's table.

    Attributes
    ----------
    code, label
        As the town's table has them.
    state_class, detail_code
        The state's codes that it maps to, where the mapping knows.
    """

    code: str
    label: str = ""
    state_class: str = ""
    detail_code: str = ""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field of the card is filled. Names of columns are normalised."""

    to: str
    columns: tuple[str, ...] = ()
    joined: tuple[tuple[str, ...], ...] = ()
    separator: str = "/"
    label_columns: tuple[str, ...] = ()
    value: str | None = None
    convert: str = "text"
    table: str = ""
    factor: Decimal = Decimal(1)
    required: bool = False
    default: str | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_length: int = 0
    zero_is_blank: bool = False
    blank_if: frozenset[str] = frozenset()
    on_bad: str = "reject"
    on_unknown: str = "add"
    decimal_comma: bool = False
    spelt: str = ""

    @property
    def part(self) -> str:
        """The part of the card: alias, property, building, ..."""
        return self.to.partition(".")[0]

    @property
    def name(self) -> str:
        """The field within its part."""
        return self.to.partition(".")[2]


@dataclass(frozen=True, slots=True)
class CardMapping:
    """A checked mapping file.

    Attributes
    ----------
    key
        The target that identifies a card in the file; a second row with the same is a duplicate.
    detect
        Normalised columns that together give this kind of file away.
    town_columns
        Alternative columns with the town's name or number; rows of other towns are passed over.
    codes
        By code table, the vendor's codes and what they are in ours.
    """

    name: str
    title: str
    source: str
    key: str
    rules: tuple[FieldRule, ...]
    detect: frozenset[str] = frozenset()
    town_columns: tuple[str, ...] = ()
    codes: Mapping[str, Mapping[str, CodeEntry]] = field(default_factory=dict)

    def missing_columns(self, header: Iterable[str]) -> list[str]:
        """Return the required columns (as the mapping spells them) that a header lacks."""
        present = {normalise_header(name) for name in header}
        missing = []
        for rule in self.rules:
            if not rule.required or rule.value is not None:
                continue
            if rule.joined:
                if not any(present.intersection(alternatives) for alternatives in rule.joined):
                    missing.append(rule.spelt)
            elif not present.intersection(rule.columns):
                missing.append(rule.spelt)
        return missing

    def score(self, header: Iterable[str]) -> int:
        """Return how many of the columns that give this kind of file away a header has; 0 unless all."""
        present = {normalise_header(name) for name in header}
        return len(self.detect) if self.detect and self.detect <= present else 0


def load_mapping(path: Path) -> CardMapping:
    """Read and check a mapping file.

    Raises
    ------
    MappingInvalid
        Naming the entry and what is wrong with it.
    """
    try:
        with path.open("rb") as stream:
            raw = tomllib.load(stream)
    except FileNotFoundError as error:
        raise MappingInvalid(f"There is no mapping file {path.name}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingInvalid(f"{path.name} is not valid TOML: {error}.") from error
    return parse_mapping(raw, name=path.stem)


def parse_mapping(raw: Mapping[str, Any], *, name: str) -> CardMapping:
    """Check a mapping that was read from TOML."""
    card, fields = raw.get("card", {}), raw.get("field", [])
    if not fields:
        raise MappingInvalid(f"{name}: there is no [[field]].")
    rules = tuple(_parse_rule(entry, name) for entry in fields)
    targets = [rule.to for rule in rules]
    twice = sorted({to for to in targets if targets.count(to) > 1})
    if twice:
        raise MappingInvalid(f"{name}: {', '.join(twice)} is filled twice.")
    key = str(card.get("key", ""))
    if key not in targets or not key.startswith("alias."):
        raise MappingInvalid(f"{name}: [card] key must name one of its identifiers, such as alias.pid.")
    detect = raw.get("detect", {})
    return CardMapping(
        name=str(raw.get("name", name)),
        title=str(raw.get("title", name)),
        source=str(raw.get("source", "")),
        key=key,
        rules=rules,
        detect=frozenset(normalise_header(column) for column in detect.get("columns", ())),
        town_columns=tuple(normalise_header(column) for column in card.get("town", ())),
        codes={table: _parse_codes(entries, name, table) for table, entries in raw.get("codes", {}).items()},
    )


def _parse_rule(entry: Mapping[str, Any], name: str) -> FieldRule:
    to = str(entry.get("to", ""))
    part, _, own = to.partition(".")
    part = "sale" if part in _SALES else part
    if own not in TARGETS.get(part, ()):
        raise MappingInvalid(f"{name}: {to!r} is no field of a card.")
    unknown = sorted(set(entry) - FIELD_KEYS)
    if unknown:
        raise MappingInvalid(f"{name}: {to} says {', '.join(unknown)}, which has no meaning.")
    convert = str(entry.get("convert", "text"))
    if convert not in converters.NAMES:
        raise MappingInvalid(
            f"{name}: {to} converts to {convert!r}; known are {', '.join(converters.NAMES)}."
        )
    columns, joined = _names(entry.get("from", ())), entry.get("join", ())
    if sum((bool(columns), bool(joined), "value" in entry)) != 1:
        raise MappingInvalid(f"{name}: {to} needs one of from, join and value.")
    unit = str(entry.get("unit", ""))
    if unit and (unit not in units.FACTORS or convert not in converters.NUMERIC):
        raise MappingInvalid(f"{name}: {to} has no use for the unit {unit!r}.")
    if convert == "code" and not entry.get("table"):
        raise MappingInvalid(f"{name}: {to} is a code and names no table.")
    on_bad, on_unknown = str(entry.get("on_bad", "reject")), str(entry.get("on_unknown", "add"))
    if on_bad not in _ON_BAD or on_unknown not in _ON_UNKNOWN:
        raise MappingInvalid(f"{name}: {to}: on_bad is one of {_ON_BAD}, on_unknown one of {_ON_UNKNOWN}.")
    return FieldRule(
        to=to,
        columns=tuple(normalise_header(column) for column in columns),
        joined=tuple(tuple(normalise_header(column) for column in _names(part_)) for part_ in joined),
        separator=str(entry.get("separator", "/")),
        label_columns=tuple(normalise_header(column) for column in _names(entry.get("label_from", ()))),
        value=None if "value" not in entry else str(entry["value"]),
        convert=convert,
        table=str(entry.get("table", "")),
        factor=units.FACTORS[unit] if unit else Decimal(1),
        required=bool(entry.get("required", False)),
        default=None if "default" not in entry else str(entry["default"]),
        minimum=_number(entry, "minimum", name),
        maximum=_number(entry, "maximum", name),
        max_length=int(entry.get("max_length", 0)),
        zero_is_blank=bool(entry.get("zero_is_blank", False)),
        blank_if=frozenset(str(text).strip() for text in entry.get("blank_if", ())),
        on_bad=on_bad,
        on_unknown=on_unknown,
        decimal_comma=bool(entry.get("decimal_comma", False)),
        spelt=(list(columns) or [" + ".join(_names(part_)[0] for part_ in joined)])[0]
        if "value" not in entry
        else "",
    )


def _names(given: Any) -> list[str]:
    return [given] if isinstance(given, str) else [str(item) for item in given]


def _number(entry: Mapping[str, Any], key: str, name: str) -> Decimal | None:
    if key not in entry:
        return None
    try:
        return Decimal(str(entry[key]))
    except InvalidOperation as error:
        raise MappingInvalid(f"{name}: {entry.get('to')}: {key} is no number.") from error


def _parse_codes(entries: Mapping[str, Any], name: str, table: str) -> dict[str, CodeEntry]:
    parsed = {}
    known = {"code", "label", "state_class", "detail_code"}
    for theirs, ours in entries.items():
        if isinstance(ours, str):
            parsed[theirs.casefold()] = CodeEntry(ours, theirs if ours != theirs else "")
        elif isinstance(ours, Mapping) and set(ours) <= known:
            texts = {key: str(value) for key, value in ours.items()}
            parsed[theirs.casefold()] = CodeEntry(**{"code": theirs, **texts})
        else:
            raise MappingInvalid(
                f"{name}: codes.{table}.{theirs} must be a code, or a table of {sorted(known)}."
            )
    return parsed
