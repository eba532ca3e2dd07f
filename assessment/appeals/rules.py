"""The rules of appeals to the board. Amounts and days of law are arguments: `roll.parameters` holds them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping

# Commercial, industrial, public utility and apartment classes of the state's abstract.
NOT_HEARD_CLASSES = frozenset({"200", "300", "400", "800"})


def petition_deadline(list_year: int, days: Mapping[str, str], *, extended: bool) -> dt.date:
    """Return the last day on which a petition about a list may be received.

    Parameters
    ----------
    days
        ``usual`` and ``extended`` (the signing was extended) as month-day.
    """
    month, day = (int(part) for part in days["extended" if extended else "usual"].split("-"))
    return dt.date(list_year + 1, month, day)


def may_elect_not_to_hear(classes: Collection[str], assessed: int, threshold: int) -> bool:
    """Say whether the board may decline to hear: only large property of business classes, CGS 12-111."""
    return bool(classes) and set(classes) <= NOT_HEARD_CLASSES and assessed > threshold


def is_told_in_time(notified_on: dt.date, hearing_on: dt.date, days: int) -> bool:
    """Say whether the petitioner was told at least `days` calendar days before the hearing."""
    return (hearing_on - notified_on).days >= days
