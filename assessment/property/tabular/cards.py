"""Rows become cards by a mapping; what cannot be used becomes findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from assessment.property.tabular import converters
from assessment.property.tabular.converters import ConversionError, is_blank
from assessment.property.tabular.headers import index_header
from assessment.property.tabular.mapping import CardMapping, CodeEntry, FieldRule
from assessment.property.tabular.problems import ColumnsMissing, Reason, RowProblem
from assessment.property.tabular.reading import Row, Table

# A zone, a city or a number of rooms is converted once; a column of owners does not fill the memory.
_REMEMBERED_CELLS: Final = 4_096
_UNREAD: Final = object()


@dataclass(slots=True)
class Card:
    """One record card as a file states it.

    Attributes
    ----------
    row
        Its row in the file.
    key
        Its identifier in the file.
    parts
        Values by part (alias, property, building, land, stated, owner, sale, point, user) and field;
        what the file does not state is absent, which is not the same as blank or zero.
    """

    row: int
    key: str
    parts: dict[str, dict[str, Any]]


@dataclass(slots=True)
class CodeTally:
    """A code met in the file that the mapping does not know: how often, and in which row first."""

    table: str
    entry: CodeEntry
    first_row: int
    rows: int = 1


@dataclass(slots=True)
class CardReader:
    """Reads cards from a table; counts and codes met are complete when it is exhausted.

    Parameters
    ----------
    mapping, table
        What is read, and how.
    town_keys
        Normalised names and numbers of the town; rows that name another are passed over. Empty: no check.
    known_codes
        By code table, the codes that the town's own tables hold and have mapped.
    """

    mapping: CardMapping
    table: Table
    town_keys: frozenset[str] = frozenset()
    known_codes: dict[str, frozenset[str]] = field(default_factory=dict)
    rows: int = 0
    other_town_rows: int = 0
    codes: dict[tuple[str, str], CodeEntry] = field(default_factory=dict)
    unknown_codes: dict[tuple[str, str], CodeTally] = field(default_factory=dict)
    columns_used: list[str] = field(default_factory=list)
    columns_unused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        missing = self.mapping.missing_columns(self.table.header)
        if missing:
            raise ColumnsMissing(
                f"The file lacks {', '.join(missing)}; it has {', '.join(self.table.header[:60])}.",
                columns=missing,
            )

    def __iter__(self) -> Iterator[Card | RowProblem]:
        """Yield a card for each row that can be used, and findings as they come."""
        places = index_header(self.table.header)
        fillers = [
            filler for rule in self.mapping.rules if (filler := _Filler.make(rule, places, self)) is not None
        ]
        self._note_columns(fillers)
        town_place = next((places[name] for name in self.mapping.town_columns if name in places), None)
        first_rows: dict[str, int] = {}
        for row in self.table.rows:
            self.rows += isinstance(row, Row) or row.rejected
            if isinstance(row, RowProblem):
                yield row
                continue
            if town_place is not None and self.town_keys and not self._is_ours(row.cells[town_place]):
                self.other_town_rows += 1
                continue
            card, findings = self._card(row, fillers)
            yield from findings
            if card is None:
                continue
            first = first_rows.setdefault(card.key.casefold(), row.number)
            if first != row.number:
                yield RowProblem(
                    row.number, self._key_column(), card.key, Reason.DUPLICATE_ID,
                    f"Card {card.key} is in row {first} already; this row is left out.", card=card.key,
                )  # fmt: skip
                continue
            yield card

    def _is_ours(self, text: str) -> bool:
        return converters.to_identifier(text).casefold() in self.town_keys

    def _key_column(self) -> str:
        return next((rule.spelt for rule in self.mapping.rules if rule.to == self.mapping.key), "")

    def _note_columns(self, fillers: list["_Filler"]) -> None:
        used = {
            place for filler in fillers for place in (*filler.places, filler.label_place) if place is not None
        }
        for place, name in enumerate(self.table.header):
            (self.columns_used if place in used else self.columns_unused).append(name)

    def _card(self, row: Row, fillers: list["_Filler"]) -> tuple[Card | None, list[RowProblem]]:
        parts: dict[str, dict[str, Any]] = {}
        findings: list[RowProblem] = []
        refused = False
        for filler in fillers:
            try:
                value = filler.fill(row)
            except ConversionError as error:
                rule = filler.rule
                rejected = error.reason is Reason.BLANK_REQUIRED or rule.on_bad == "reject" or rule.required
                refused = refused or rejected
                done = "the row is left out" if rejected else "the value is left blank"
                sentence = f"{error.sentence.rstrip('.')}; {done}."
                findings.append(
                    RowProblem(row.number, rule.spelt, filler.text(row), error.reason, sentence, rejected)
                )
                continue
            if value is not None:
                parts.setdefault(filler.part, {})[filler.name] = value
        part, _, name = self.mapping.key.partition(".")
        key = str(parts.get(part, {}).get(name, ""))
        if not key and not refused:
            column = self._key_column()
            sentence = f"{column} is blank, and tells the cards apart; the row is left out."
            findings.append(RowProblem(row.number, column, "", Reason.BLANK_REQUIRED, sentence))
            refused = True
        if findings and key:
            findings = [
                RowProblem(f.row, f.column, f.value, f.reason, f.sentence, f.rejected, key) for f in findings
            ]
        return (None if refused else Card(row.number, key, parts)), findings


@dataclass(slots=True)
class _Filler:
    """A rule, tied to the places of a file's columns."""

    rule: FieldRule
    places: tuple[int, ...]
    label_place: int | None
    convert: Callable[[str], Any]
    reader: CardReader
    part: str
    name: str
    bounded: bool
    known: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, rule: FieldRule, places: dict[str, int], reader: CardReader) -> "_Filler | None":
        """Return the filler, or None when the file has no such column and nothing stands in for it."""
        if rule.joined:
            found = [
                next((places[c] for c in alternatives if c in places), None) for alternatives in rule.joined
            ]
            at = tuple(place for place in found if place is not None)
        else:
            at = tuple(places[column] for column in rule.columns if column in places)[:1]
        if not at and rule.value is None and rule.default is None:
            return None
        label = next((places[column] for column in rule.label_columns if column in places), None)
        return cls(
            rule, at, label, _converter(rule), reader, rule.part, rule.name,
            rule.minimum is not None or rule.maximum is not None,
        )  # fmt: skip

    def text(self, row: Row) -> str:
        """Return the cell, or the joined cells, as the file has them."""
        if len(self.places) == 1 and not self.rule.joined:
            return row.cells[self.places[0]].strip()
        pieces = [converters.to_text(row.cells[place]) for place in self.places]
        while pieces and not pieces[-1]:
            pieces.pop()
        return self.rule.separator.join(pieces)

    def fill(self, row: Row) -> Any:
        """Return the value, or None when the file says nothing."""
        if len(self.places) != 1:
            return self._value(self.rule.value if self.rule.value is not None else self.text(row), row)
        cell = row.cells[self.places[0]]
        value = self.known.get(cell, _UNREAD)
        if value is _UNREAD:
            value = self._value(self.text(row), row)
            if len(self.known) < _REMEMBERED_CELLS and not self._is_counted(cell):
                self.known[cell] = value
        return value

    def _value(self, text: str, row: Row) -> Any:
        rule = self.rule
        if not text or is_blank(text) or text in rule.blank_if:
            if rule.default is None:
                if rule.required:
                    raise ConversionError(Reason.BLANK_REQUIRED, f"{rule.spelt} is blank and must not be")
                return None
            text = rule.default
        value = self.convert(text)
        if rule.zero_is_blank and value == 0:
            return None
        if self.bounded:
            self._check_range(value, text)
        if rule.max_length and len(str(value)) > rule.max_length:
            raise ConversionError(
                Reason.TOO_LONG, f"{rule.spelt} is longer than {rule.max_length} characters"
            )
        return self._code(text, row) if rule.convert == "code" else value

    def _is_counted(self, cell: str) -> bool:
        """Whether each row with the cell has to be counted: it stands for a code that nobody has mapped."""
        if self.rule.convert != "code":
            return False
        texts = (cell, self.rule.default or "")
        return any(
            (self.rule.table, converters.to_identifier(text)) in self.reader.unknown_codes for text in texts
        )

    def _check_range(self, value: Any, text: str) -> None:
        rule = self.rule
        if value is None:
            return
        if (rule.minimum is not None and value < rule.minimum) or (
            rule.maximum is not None and value > rule.maximum
        ):
            low = "" if rule.minimum is None else f" from {rule.minimum}"
            high = "" if rule.maximum is None else f" to {rule.maximum}"
            raise ConversionError(
                Reason.OUT_OF_RANGE, f"{rule.spelt} is {text}, outside of its range{low}{high}"
            )

    def _code(self, text: str, row: Row) -> str | None:
        theirs = converters.to_identifier(text)
        table = self.rule.table
        label = converters.to_text(row.cells[self.label_place]) if self.label_place is not None else ""
        entry = self.reader.mapping.codes.get(table, {}).get(theirs.casefold())
        if entry is None:
            entry = CodeEntry(theirs, label)
            known = self.rule.on_unknown == "accept" or theirs in self.reader.known_codes.get(table, ())
            if not known and self.rule.on_unknown == "reject":
                raise ConversionError(Reason.UNKNOWN_CODE, f"{theirs} is no known code of {table}")
            if not known:
                tally = self.reader.unknown_codes.get((table, theirs))
                if tally is None:
                    self.reader.unknown_codes[(table, theirs)] = CodeTally(table, entry, row.number)
                else:
                    tally.rows += 1
                if self.rule.on_unknown == "blank":
                    return None
        self.reader.codes.setdefault((table, entry.code), entry)
        return entry.code


def _converter(rule: FieldRule) -> Callable[[str], Any]:
    if rule.convert in converters.PLAIN:
        return converters.PLAIN[rule.convert]
    numeric = converters.NUMERIC[rule.convert]
    if rule.factor == 1:
        return (lambda text: numeric(text, decimal_comma=True)) if rule.decimal_comma else numeric
    whole = rule.convert in ("integer", "dollars")

    def scaled(text: str) -> Any:
        number = converters.to_decimal(text, decimal_comma=rule.decimal_comma) * rule.factor
        return int(number.quantize(Decimal(1), rounding="ROUND_HALF_UP")) if whole else number

    return scaled
