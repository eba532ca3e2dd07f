"""Writing transfers: importing the state's file, and a person's decisions."""

from assessment.sales.services.card_sales import take_over_card_sales
from assessment.sales.services.decisions import (
    decide_validity,
    give_property,
    withdraw_decision,
)
from assessment.sales.services.importing import import_sales
from assessment.sales.services.report import SalesReport
from assessment.sales.services.screening import screen_sales

__all__ = [
    "SalesReport",
    "decide_validity",
    "give_property",
    "import_sales",
    "screen_sales",
    "take_over_card_sales",
    "withdraw_decision",
]
