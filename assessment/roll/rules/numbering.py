"""List numbers: given once, in the order of the printed list, and frozen when the list is signed."""

import unicodedata
from collections.abc import Iterable, Sequence

KIND_DIGITS = {"real": 1, "personal": 2, "motor_vehicle": 3, "supplemental": 4}


def sort_key(text: str) -> str:
    """Return the form of a name that sorts as a clerk would: no accents, no case, no punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())


def printed_order(entries: Iterable[tuple[str, str, str]]) -> list[int]:
    """Return the places of (owner, location, account) entries in the order of the printed list.

    By owner, then location, then account, so that the order does not depend on the order given as long as
    accounts differ.
    """
    keys = [(sort_key(owner), sort_key(location), account) for owner, location, account in entries]
    return sorted(range(len(keys)), key=keys.__getitem__)


def list_number(year: int, kind: str, place: int) -> str:
    """Return the list number of the account at `place` (from 1), as in ``2025-1-0000042``.

    The middle digit tells the kind of list: 1 real, 2 personal, 3 motor vehicle, 4 supplemental.
    """
    if place < 1:
        raise ValueError("list numbers start at one")
    return f"{year}-{KIND_DIGITS[kind]}-{place:07d}"


def number_accounts(year: int, kind: str, entries: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return a list number for each of the (owner, location, account) entries, in the order given."""
    numbers = [""] * len(entries)
    for place, index in enumerate(printed_order(entries), start=1):
        numbers[index] = list_number(year, kind, place)
    return numbers
