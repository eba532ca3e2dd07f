"""What can go wrong with runs and specs."""

from __future__ import annotations

from assessment.region.errors import Conflict, Invalid, NotFound


class SpecNotFound(NotFound):
    """There is no model spec of this name or version."""

    code, title = "spec-not-found", "There is no such model"


class SpecRefused(Invalid):
    """The tables or settings of a spec cannot be used."""

    code, title = "spec-refused", "The model cannot be used as given"


class NotAdopted(Conflict):
    """The town's assessor has not adopted this version for the list."""

    code, title = "spec-not-adopted", "The town has not adopted this model for the list"


class NoBaseSchedules(Conflict):
    """An interim list is valued at the base revaluation's schedules, and no posted run holds them."""

    code, title = "no-base-schedules", "The base revaluation has no posted run to value at"


class NothingToValue(Conflict):
    """The town has no real property."""

    code, title = "nothing-to-value", "There is nothing to value in the town"


class TooFewSales(Conflict):
    """The spec calibrates its tables from the town's own sales, and there are too few."""

    code, title = "too-few-sales", "There are too few sales to calibrate from"


class RunNotFinished(Conflict):
    """The run failed or is still running, so nothing can be posted from it."""

    code, title = "run-not-finished", "The run is not finished"
