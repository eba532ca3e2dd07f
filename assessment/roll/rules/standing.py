"""An account after its instruments, and the columns in which an export shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assessment.roll.rules.accounts import SignedAccount
from assessment.roll.rules.m13 import Effect

COMPONENT_COLUMNS = ("land", "building", "outbuilding", "other")
_COLUMN_OF = {"land": "land", "building": "building", "condominium": "building", "outbuilding": "outbuilding"}


@dataclass(frozen=True, slots=True)
class Listed:
    """An account as an export shows it: as signed, and after the instruments of the export's basis."""

    account: SignedAccount
    gross_after: int
    exempt_after: int
    instruments: tuple[str, ...]

    @property
    def net_after(self) -> int:
        """Taxable dollars after the instruments."""
        return self.gross_after - self.exempt_after


def listed(account: SignedAccount, effects: Sequence[Effect]) -> Listed:
    """Return an account with the effect of its instruments."""
    gross, exempt, numbers = account.gross, account.exempt, []
    for effect in effects:
        if effect.section == "exemption":
            exempt += effect.amount
        else:
            gross += effect.amount
            exempt += effect.amount if effect.section == "exempt_property" else 0
        if effect.number not in numbers:
            numbers.append(effect.number)
    return Listed(account, gross, exempt, tuple(numbers))


def component_sums(account: SignedAccount, component_of: Mapping[str, str]) -> dict[str, int]:
    """Return assessed dollars by land, building, outbuilding and other; `component_of` is by detail code."""
    sums = dict.fromkeys(COMPONENT_COLUMNS, 0)
    for line in account.lines:
        sums[_COLUMN_OF.get(component_of.get(line.code, ""), "other")] += line.assessed
    return sums
