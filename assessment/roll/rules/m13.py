"""The abstract of the grand list: M-13 (taxable, by class) and M-13a (tax-exempt), with the bridge.

Every figure adds up from the accounts' lines, and what the board and the assessor changed after signing is
a step of the bridge from "as signed" to "after the board".
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from assessment.roll.rules.accounts import SignedAccount

SECTIONS = ("assessed", "exemption", "exempt_property")


@dataclass(frozen=True, slots=True)
class Cell:
    """Accounts (or, in a step of a bridge, accounts more or fewer) and dollars."""

    count: int = 0
    amount: int = 0

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.count + other.count, self.amount + other.amount)


Table = Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Abstract:
    """Cells by detail code (`assessed`), exemption code (`exemption`) and exempt code (`exempt_property`)."""

    assessed: Table = field(default_factory=dict)
    exemption: Table = field(default_factory=dict)
    exempt_property: Table = field(default_factory=dict)
    accounts: int = 0

    @property
    def gross(self) -> int:
        """Assessed dollars of the taxable accounts."""
        return sum(cell.amount for cell in self.assessed.values())

    @property
    def exemptions(self) -> int:
        """Dollars of exemptions on taxable accounts."""
        return sum(cell.amount for cell in self.exemption.values())

    @property
    def net(self) -> int:
        """Net taxable dollars."""
        return self.gross - self.exemptions

    @property
    def exempt(self) -> int:
        """Assessed dollars of wholly exempt property (M-13a)."""
        return sum(cell.amount for cell in self.exempt_property.values())

    def plus(self, other: "Abstract") -> "Abstract":
        """Return the sum of two abstracts, cell by cell."""
        return Abstract(
            _add(self.assessed, other.assessed),
            _add(self.exemption, other.exemption),
            _add(self.exempt_property, other.exempt_property),
            self.accounts + other.accounts,
        )

    def by_class(self, class_of: Mapping[str, str]) -> dict[str, Cell]:
        """Return the assessed cells added up to classes; `class_of` gives each detail code's class."""
        sums: dict[str, Cell] = defaultdict(Cell)
        for code, cell in self.assessed.items():
            sums[class_of[code]] += cell
        return dict(sorted(sums.items()))


def _add(ours: Table, theirs: Table) -> dict[str, Cell]:
    codes = sorted(set(ours) | set(theirs))
    return {code: ours.get(code, Cell()) + theirs.get(code, Cell()) for code in codes}


def tabulate(accounts: Iterable[SignedAccount]) -> Abstract:
    """Tally signed accounts. An account counts once in each detail code and exemption code it carries."""
    tables: dict[str, dict[str, list[int]]] = {name: {} for name in SECTIONS}
    number = 0
    for account in accounts:
        number += 1
        if account.exempt_code:
            _tally(tables["exempt_property"], account.exempt_code, 1, account.gross)
            continue
        seen: set[str] = set()
        for line in account.lines:
            _tally(tables["assessed"], line.code, int(line.code not in seen), line.assessed)
            seen.add(line.code)
        seen.clear()
        for item in account.exemptions:
            _tally(tables["exemption"], item.code, int(item.code not in seen), item.amount)
            seen.add(item.code)
    return _abstract(tables, number)


def _tally(table: dict[str, list[int]], code: str, count: int, amount: int) -> None:
    cell = table.setdefault(code, [0, 0])
    cell[0] += count
    cell[1] += amount


def _abstract(tables: Mapping[str, Mapping[str, list[int]]], accounts: int) -> Abstract:
    assessed, exemption, exempt_property = (_cells(tables[name]) for name in SECTIONS)
    return Abstract(assessed, exemption, exempt_property, accounts)


def _cells(table: Mapping[str, list[int]]) -> dict[str, Cell]:
    return {code: Cell(*table[code]) for code in sorted(table)}


@dataclass(frozen=True, slots=True)
class Effect:
    """What one line of an instrument does to the abstract."""

    kind: str
    number: str
    dated_on: date
    section: str
    code: str
    amount: int
    count: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the bridge: the instruments of one kind and what they changed together."""

    kind: str
    instruments: int
    change: Abstract


@dataclass(frozen=True, slots=True)
class Bridge:
    """From the list as signed to the list after the board."""

    signed: Abstract
    steps: tuple[Step, ...]
    after: Abstract


def bridge(signed: Abstract, effects: Iterable[Effect], *, through: date) -> Bridge:
    """Carry the signed abstract over the instruments dated up to and including `through`.

    Returns
    -------
    Bridge
        With one step for each kind of instrument, in alphabetical order; signed plus the steps is `after`.
    """
    grouped: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        if effect.dated_on <= through:
            grouped[effect.kind].append(effect)
    steps = tuple(
        Step(kind, len({effect.number for effect in grouped[kind]}), _change(grouped[kind]))
        for kind in sorted(grouped)
    )
    after = signed
    for step in steps:
        after = after.plus(step.change)
    return Bridge(signed, steps, after)


def _change(effects: Iterable[Effect]) -> Abstract:
    tables: dict[str, dict[str, list[int]]] = {name: {} for name in SECTIONS}
    for effect in effects:
        _tally(tables[effect.section], effect.code, effect.count, effect.amount)
    return _abstract(tables, 0)
