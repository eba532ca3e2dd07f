"""Accounts of a signed list as they stand today: the snapshot with its instruments."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assessment.property.models import Property
from assessment.region.errors import NotFound
from assessment.roll.models import GrandList
from assessment.roll.selectors import ListedInstrument, find_signed_account, list_instrument_lines

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """Dollars, more or fewer, in one code of a section (``assessed``, ``exemption``, ``exempt_property``)."""

    section: str
    code: str
    amount: int
    appraised: int = 0


@dataclass(slots=True)
class Standing:
    """An account as it stands today: dollars by section and code, from the snapshot and its instruments."""

    list_number: str
    account: str
    owner: str
    location: str
    amounts: dict[Key, int] = field(default_factory=dict)
    appraised: dict[Key, int] = field(default_factory=dict)

    def total(self, section: str) -> int:
        """Dollars of a section."""
        return sum(amount for (name, _), amount in self.amounts.items() if name == section)

    @property
    def gross(self) -> int:
        """Assessed dollars, taxable or exempt."""
        return self.total("assessed") + self.total("exempt_property")

    @property
    def net(self) -> int:
        """Taxable dollars."""
        return self.total("assessed") - self.total("exemption")

    def add(self, section: str, code: str, amount: int, appraised: int = 0) -> None:
        """Add dollars to a code."""
        key = (section, code)
        self.amounts[key] = self.amounts.get(key, 0) + amount
        self.appraised[key] = self.appraised.get(key, 0) + appraised


def get_standing(grand_list: GrandList, subject: Property, *, through: dt.date | None = None) -> Standing:
    """Return an account of a signed list with the instruments dated up to a day.

    Raises
    ------
    NotFound
        The property is neither on the list nor added by an instrument.
    """
    lines = [
        line
        for line in list_instrument_lines(grand_list, through=through)
        if line.property_id == str(subject.pk)
    ]
    standing = find_standing(grand_list, subject, lines)
    if standing is None:
        raise NotFound(f"{subject.account_number} is not on the {grand_list}.")
    return standing


def find_standing(
    grand_list: GrandList, subject: Property, lines: Sequence[ListedInstrument]
) -> Standing | None:
    """Return an account with the given lines of instruments, or None when it is on no paper."""
    signed = find_signed_account(grand_list, subject)
    if signed is None and not lines:
        return None
    if signed is not None:
        standing = Standing(signed.list_number, signed.account, signed.owner, signed.location)
        for item in signed.lines:
            section, code = (
                ("exempt_property", signed.exempt_code) if signed.exempt_code else ("assessed", item.code)
            )
            standing.add(section, code, item.assessed, item.appraised)
        for exemption in signed.exemptions:
            standing.add("exemption", exemption.code, exemption.amount)
    else:
        first = lines[0]
        standing = Standing(first.list_number, first.account, first.owner, first.location)
    for line in lines:
        standing.add(line.section, line.code, line.amount_change, line.appraised_change)
    return standing


def changes_to(standing: Standing, lines_after: Mapping[str, tuple[int, int]]) -> list[Change]:
    """Return the changes that bring an account's codes to the given appraised and assessed dollars."""
    exempt = [code for section, code in standing.amounts if section == "exempt_property"]
    section = "exempt_property" if exempt else "assessed"
    return [
        Change(
            section,
            code,
            assessed - standing.amounts.get((section, code), 0),
            appraised - standing.appraised.get((section, code), 0),
        )
        for code, (appraised, assessed) in lines_after.items()
    ]
