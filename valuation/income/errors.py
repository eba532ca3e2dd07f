"""What can go wrong with income."""

from __future__ import annotations

from assessment.region.errors import Invalid


class IncomeRefused(Invalid):
    """A return or rates that cannot be: negative amounts, rates out of range, another town's property."""

    code, title = "income-refused", "The income figures cannot be used"
