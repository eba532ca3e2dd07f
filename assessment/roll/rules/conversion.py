"""Conversion: the lines of an account from the values that a town's card or list states."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from assessment.roll.rules.codes import AbstractCodes
from assessment.roll.rules.rounding import RoundingPolicy, assess, split

UNASSIGNED_EXEMPT = "XXXX"
COMPONENTS = ("land", "building", "extra", "outbuilding")


class TotalOnlyError(ValueError):
    """A card states a total and no components."""


class UnclassifiedError(ValueError):
    """An account has no class of the state's, and is not exempt."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What is stated of one component: appraised and assessed dollars, either of which may be missing."""

    appraised: int | None
    assessed: int | None
    detail_code: str = ""


@dataclass(frozen=True, slots=True)
class ConvertedLine:
    """A line of a converted account."""

    detail_code: str
    appraised: int
    assessed: int


def exempt_code_of(exempt_code: str, state_class: str, use_code: str) -> str:
    """Return the four-letter code of a wholly exempt account, or nothing when it is taxable.

    Vendors' use codes that begin with 9 mean exempt property where no class of the state's is known (1010,
    1040, 6100 and 7000 are above 900 and do not); they get a code of ours until somebody assigns one.
    """
    if exempt_code:
        return exempt_code
    return UNASSIGNED_EXEMPT if not state_class and use_code.startswith("9") else ""


def convert(
    stated: Mapping[str, Stated],
    *,
    codes: AbstractCodes,
    kind: str,
    state_class: str,
    exempt_code: str,
    ratio: Fraction,
    policy: RoundingPolicy,
) -> list[ConvertedLine]:
    """Return the lines of one account.

    Parameters
    ----------
    stated
        By component: land, building, extra, outbuilding, total.
    state_class, exempt_code
        The class that gives detail codes; for a wholly exempt account its code stands in their place.

    Returns
    -------
    list of ConvertedLine
        Assessed as stated where stated component by component, else computed by the list's policy. Where a
        building is stated with its outbuildings in one assessed sum, the sum is split by what they are
        appraised at, so that the lines add up to what was stated.

    Raises
    ------
    TotalOnlyError, UnclassifiedError
    """
    parts = {
        name: stated[name]
        for name in COMPONENTS
        if name in stated and (stated[name].appraised or stated[name].assessed)
    }
    if not parts:
        total = stated.get("total")
        if total and (total.appraised or total.assessed):
            raise TotalOnlyError
        parts = {"land": Stated(0, 0)}
    if not state_class and not exempt_code:
        raise UnclassifiedError
    appraised = _appraised(parts, ratio)
    assessed = _assessed(parts, appraised, stated.get("total"), ratio, policy)
    return [
        ConvertedLine(
            parts[name].detail_code
            or exempt_code
            or codes.detail_for(kind, state_class, "building" if name == "extra" else name).code,
            appraised[name],
            assessed[name],
        )
        for name in parts
    ]


def _appraised(parts: Mapping[str, Stated], ratio: Fraction) -> dict[str, int]:
    found = {}
    for name, part in parts.items():
        if part.appraised is not None:
            found[name] = part.appraised
        else:
            found[name] = round((part.assessed or 0) / ratio)
    return found


def _assessed(
    parts: Mapping[str, Stated],
    appraised: Mapping[str, int],
    total: Stated | None,
    ratio: Fraction,
    policy: RoundingPolicy,
) -> dict[str, int]:
    names = list(parts)
    computed = dict(zip(names, assess([appraised[name] for name in names], ratio, policy), strict=True))
    stated = {name: part.assessed for name, part in parts.items() if part.assessed is not None}
    if not stated:
        return computed
    silent = [name for name in names if name not in stated]
    if not silent:
        return stated
    lumped = [*silent, "building"] if "building" in stated else silent
    whole = total.assessed if total and total.assessed is not None else None
    weight = sum(appraised[name] for name in lumped)
    if "building" in stated and whole == sum(stated.values()) and weight:
        shares = split(stated["building"], [appraised[name] for name in lumped], unit=1)
        return computed | stated | dict(zip(lumped, shares, strict=True))
    return computed | stated
