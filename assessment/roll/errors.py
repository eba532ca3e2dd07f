"""What can go wrong on the roll."""

from __future__ import annotations

from assessment.region.errors import Conflict, Forbidden, Invalid


class ListExists(Conflict):
    """The town has a list of this year and kind already."""

    code, title = "list-exists", "This list is already open"


class ListSigned(Conflict):
    """The list is signed: it changes by instruments only."""

    code, title = "list-signed", "The list is signed and changes by instruments only"


class ListNotSigned(Conflict):
    """The step needs a signed list."""

    code, title = "list-not-signed", "The list is not signed yet"


class NotBalanced(Conflict):
    """A converted list does not match the list that the town brought, and nobody signed the differences off."""

    code, title = "not-balanced", "The list does not balance with the town's"


class AccountsWithoutValue(Conflict):
    """Accounts of the list have no lines, so the list cannot be signed."""

    code, title = "accounts-without-value", "Accounts of the list have no value"


class NothingToOpenFrom(Conflict):
    """There is no signed list to roll forward, or no stated values to convert."""

    code, title = "nothing-to-open-from", "There is nothing to open the list from"


class ReasonRequired(Invalid):
    """A change of an interim list has no dated reason, or one that an interim year does not allow."""

    code, title = "reason-required", "The change needs a dated reason"


class GeneralRevaluationRefused(Invalid):
    """A general revaluation was posted to a list whose year is none."""

    code, title = "general-revaluation-refused", "This list is not a revaluation"


class WrongSchedules(Invalid):
    """A value was made at other schedules than those of the list's base revaluation."""

    code, title = "wrong-schedules", "The value is not at the base revaluation's schedules"


class UnknownRollCode(Invalid):
    """A detail, exemption or exempt-property code stands in no table."""

    code, title = "unknown-roll-code", "The code is not in the state's tables"


class BelowZero(Invalid):
    """An instrument would leave an account with less than nothing in a code, or net of exemptions."""

    code, title = "below-zero", "The change leaves less than nothing"


class CertificateNeeded(Forbidden):
    """The signer has no state certificate, or one that expired."""

    code, title = "certificate-needed", "The signer's certificate is missing or expired"


class OutputNotWritten(Invalid):
    """A file could not be written: no such folder, no right, or no room."""

    code, title = "output-not-written", "The files could not be written"
