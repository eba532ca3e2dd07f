"""The roll: lists, what is assessed, what was signed, what changed it afterwards, and how it balanced."""

from assessment.roll.models.balances import BalanceDifference, BalanceRun
from assessment.roll.models.instruments import Instrument, InstrumentLine, Notice
from assessment.roll.models.lists import Assessment, AssessmentLine, ChangeReason, Exemption, GrandList
from assessment.roll.models.signed import Certification, SnapshotRow

__all__ = [
    "Assessment",
    "AssessmentLine",
    "BalanceDifference",
    "BalanceRun",
    "Certification",
    "ChangeReason",
    "Exemption",
    "GrandList",
    "Instrument",
    "InstrumentLine",
    "Notice",
    "SnapshotRow",
]
