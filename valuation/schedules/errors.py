"""What can go wrong with tables."""

from __future__ import annotations

from assessment.region.errors import Conflict, Invalid


class TablesRefused(Invalid):
    """Tables that cannot be read or used."""

    code, title = "tables-refused", "The tables cannot be used"


class ChangeDecided(Conflict):
    """The change was accepted or dropped already."""

    code, title = "table-change-decided", "The change has been decided"


class EffectMissing(Conflict):
    """A change is accepted before its effect on the values is known."""

    code, title = "table-change-effect-missing", "The effect of the change is not known yet"
