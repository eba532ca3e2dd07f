"""Cost schedules: their arithmetic, their calibration from sales and their components by state code."""

from valuation.cost.rules.arithmetic import Components, components
from valuation.cost.rules.calibration import CalibrationError, Calibrator
from valuation.cost.rules.schedule import Roles, Schedule, ScheduleError

__all__ = [
    "CalibrationError",
    "Calibrator",
    "Components",
    "Roles",
    "Schedule",
    "ScheduleError",
    "components",
]
