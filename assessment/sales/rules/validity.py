"""Whether a transfer says what property is worth: the machine's suggestion, for a person to confirm."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Validity(StrEnum):
    """What a transfer may be used for."""

    USABLE = "usable"
    """An arm's-length sale of the whole property as it was assessed: for models and ratio studies."""
    PRICE_ONLY = "price-only"
    """The price may be at arm's length, but the assessment is of another state of the property: the ratio
    means nothing. Not for ratio studies."""
    NOT_USABLE = "not-usable"
    """No evidence of market value."""


@dataclass(frozen=True)
class NonuseCode:
    """One of the state's non-use codes; ``about`` is parties, price, property, assessment or unknown."""

    code: str
    label: str
    about: str


@dataclass(frozen=True)
class ValidityRules:
    """The codes and amounts in force when a transfer was recorded."""

    codes: Mapping[str, NonuseCode]
    minimum_price: int


@dataclass(frozen=True)
class Suggestion:
    """What the rules make of a transfer, and the stable code of the reason."""

    validity: Validity
    reason: str


_LEADING_CODE = re.compile(r"\s*(\d{1,2})(?:\.0*)?\s*(?:-.*)?", re.DOTALL)


def normalise_nonuse_code(raw: str, codes: Mapping[str, NonuseCode]) -> str | None:
    """Return the two-digit code that a file's text means.

    ``7``, ``07``, ``7.0``, ``07 - Change in Property`` and ``Change in property`` are all ``07``.

    Returns
    -------
    str or None
        Empty for a blank text; None when the text says something that is no code.
    """
    text = raw.strip()
    if not text:
        return ""
    if match := _LEADING_CODE.fullmatch(text):
        code = match[1].zfill(2)
        return code if code in codes else None
    label = _letters(text)
    return next((code.code for code in codes.values() if _letters(code.label) == label), None)


def _letters(text: str) -> str:
    # The state's own file spells code 13 "Bankrupcy".
    return re.sub(r"[^a-z]", "", text.casefold()).replace("bankrupcy", "bankruptcy")


def suggest_validity(
    *, nonuse_code: str | None, price: int, names_several: bool, rules: ValidityRules
) -> Suggestion:
    """Suggest what a transfer may be used for.

    Parameters
    ----------
    nonuse_code
        As `normalise_nonuse_code` returns it.
    price
        In whole dollars.
    names_several
        The address lists several properties, and the price is for all of them.
    """
    if price < rules.minimum_price:
        return Suggestion(Validity.NOT_USABLE, "price-below-minimum")
    if nonuse_code is None:
        return Suggestion(Validity.NOT_USABLE, "nonuse-unreadable")
    if nonuse_code:
        about = rules.codes[nonuse_code].about
        validity = Validity.PRICE_ONLY if about == "assessment" else Validity.NOT_USABLE
        return Suggestion(validity, f"nonuse-{nonuse_code}")
    if names_several:
        return Suggestion(Validity.NOT_USABLE, "several-properties")
    return Suggestion(Validity.USABLE, "no-nonuse-code")


def suggest_card_validity(
    *, qualified: str, price: int, is_of_several: bool, rules: ValidityRules
) -> Suggestion:
    """Suggest what a sale on a record card may be used for, by the vendor's mark.

    Parameters
    ----------
    qualified
        ``Q`` or ``U`` as the card says; blank for older sales, of which cards say nothing: nobody judged
        them, so they are no evidence.
    is_of_several
        The same deed stands on other cards, and the price is for all of them.
    """
    if price < rules.minimum_price:
        return Suggestion(Validity.NOT_USABLE, "price-below-minimum")
    if is_of_several:
        return Suggestion(Validity.NOT_USABLE, "several-properties")
    mark = qualified.strip().upper()[:1]
    if mark == "Q":
        return Suggestion(Validity.USABLE, "card-qualified")
    return Suggestion(Validity.NOT_USABLE, "card-unqualified" if mark == "U" else "card-says-nothing")
